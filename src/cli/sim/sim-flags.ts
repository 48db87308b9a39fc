import type { OptionRow } from '../verb.ts';

const madeTraces = ['zipf', 'azure'] as const;

/** What each flag is where it is not given. */
export const simDefaults = {
  trace: 'zipf',
  models: '900',
  requests: '60000',
  minutes: '30',
  rate: '300',
  exponent: '1',
  bursts: '0',
  clients: '0',
  nodes: '3',
  routers: '1',
  places: '100',
  size: '14MiB',
  'size-spread': '0',
  load: '30ms',
  'load-spread': '0',
  run: '8ms',
  slots: '2',
  'load-lanes': '1',
  link: '1ms',
  skew: '0',
  timeout: '30s',
  'warm-up': '0',
  seed: '1',
} as const;

type WithDefault = keyof typeof simDefaults;

function row(flag: WithDefault, value: string, summary: string): OptionRow {
  return { value, summary: `${summary}; default ${simDefaults[flag]}` };
}

/** The flags of `skein sim`. */
export const simOptions = {
  trace: {
    ...row('trace', `${madeTraces.join('|')}|FILE`, 'requests made up in this shape, or a recorded trace'),
    completesFiles: true,
  },
  models: row('models', 'N', 'models of a trace that is made up'),
  requests: row('requests', 'N', 'requests of a zipf trace'),
  minutes: row('minutes', 'N', 'length of an azure trace'),
  rate: row('rate', 'N', 'requests per second of a trace that is made up, on average'),
  exponent: row('exponent', 'S', 'zipf: the model of rank r is asked for in proportion to 1/r^S'),
  bursts: row('bursts', 'N', 'zipf: so often one of the 50 most wanted models gets ten times its requests for 10 s'),
  clients: row(
    'clients',
    'N',
    'closed loop instead: so many clients take the models of the trace, each when it is answered',
  ),
  nodes: row('nodes', 'N', 'backends at the start'),
  routers: row('routers', 'N', 'routers, which share the requests'),
  places: row('places', 'N', 'copies of mean size that one node has memory for'),
  size: row('size', 'SIZE', 'mean size of a copy'),
  'size-spread': row(
    'size-spread',
    'S',
    'deviation of the logarithm of sizes, and of load times with them; 0: all alike',
  ),
  load: row('load', 'TIME', 'time to load a model of mean size'),
  'load-spread': row('load-spread', 'S', 'deviation of the logarithm of the load times of one model, by chance'),
  run: row('run', 'TIME', 'time of one run; batches are not simulated'),
  slots: row('slots', 'N', 'runs at once in one node'),
  'load-lanes': row('load-lanes', 'N', 'loads at once in one node'),
  link: row('link', 'TIME', 'one way between a router and a node'),
  skew: row('skew', 'TIME', 'one router hears of changes at once, the last one so much later'),
  timeout: row('timeout', 'TIME', 'longest wait of a request for its model'),
  'warm-up': row('warm-up', 'TIME', 'figures begin so late'),
  event: {
    value: 'KIND@TIME',
    many: true,
    summary: 'join@60s, drain@90s, kill@2m, or of a node by name: drain:b2@90s; may be given several times',
  },
  'fixed-copies': { value: undefined, summary: 'no copies beyond the first, whatever the load' },
  'fixed-places': { value: undefined, summary: 'newcomers are given nothing but what is loaded anew' },
  seed: row('seed', 'N', 'of everything that is drawn: the same figures for the same'),
  json: { value: undefined, summary: 'print JSON, for programs' },
} as const satisfies Record<string, OptionRow>;
