interface FunctionSize {
  /** Its name where it has one in front of its parameters; otherwise `=>`. */
  readonly name: string;
  readonly line: number;
  /** From the line of its parameters to that of its closing brace. */
  readonly lines: number;
}

/** Words that have parentheses and a block behind them and are no functions. */
const statements = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'await']);
/** Words of types that have a type behind them. */
const typeWords = new Set(['is', 'keyof', 'typeof', 'readonly', 'extends', 'asserts', 'infer']);
const opening = '([{';
const closing = ')]}';

/** Every function with a block of its own in blanked code: declarations, methods, accessors, arrows. Inner ones count as well. */
export function functionsOf(code: string): FunctionSize[] {
  const found: FunctionSize[] = [];
  const partner = matchBrackets(code);
  for (let at = code.indexOf('('); at >= 0; at = code.indexOf('(', at + 1)) {
    const close = partner.get(at);
    if (close === undefined) continue;
    const word = wordBefore(code, at);
    if (statements.has(word) || isSuperclass(code, at)) continue;
    const body = bodyAfter(code, close + 1, partner);
    if (body !== undefined)
      found.push(sizeOf(code, word === '' || word === 'async' ? '=>' : word, at, partner.get(body)!));
  }
  // An arrow whose only parameter has no parentheses.
  for (const match of code.matchAll(/[\w$]\s*=>\s*\{/g)) {
    found.push(sizeOf(code, '=>', match.index, partner.get(match.index + match[0].length - 1)!));
  }
  return found.sort((a, b) => a.line - b.line);
}

function sizeOf(code: string, name: string, from: number, to: number): FunctionSize {
  const lineOf = (offset: number) => code.slice(0, offset).split('\n').length;
  const line = lineOf(from);
  return { name, line, lines: lineOf(to) - line + 1 };
}

/** Where the brackets of blanked code close, by where they open. */
function matchBrackets(code: string): Map<number, number> {
  const partner = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    if (opening.includes(code[at]!)) open.push(at);
    else if (closing.includes(code[at]!)) {
      const from = open.pop();
      if (from !== undefined) partner.set(from, at);
    }
  }
  return partner;
}

function wordBefore(code: string, at: number): string {
  return /([\w$#]+)\s*(?:<[^()]*>)?\s*$/.exec(code.slice(Math.max(0, at - 200), at))?.[1] ?? '';
}

/** `class A extends B(C) {`: the braces are those of the class. */
function isSuperclass(code: string, at: number): boolean {
  return /\bextends\s+[\w$.]+\s*$/.test(code.slice(Math.max(0, at - 200), at));
}

/** The brace that opens a body behind a list of parameters: straight away, behind `=>`, or behind the type of what is returned. */
function bodyAfter(code: string, from: number, partner: ReadonlyMap<number, number>): number | undefined {
  let at = skipSpace(code, from);
  if (code[at] === ':') at = skipSpace(code, afterType(code, at + 1, partner));
  if (code.startsWith('=>', at)) at = skipSpace(code, at + 2);
  return code[at] === '{' ? at : undefined;
}

/** Behind the type that begins here. A brace belongs to it only where a type may begin. */
function afterType(code: string, from: number, partner: ReadonlyMap<number, number>): number {
  let wantsOperand = true;
  for (let at = skipSpace(code, from); at < code.length; at = skipSpace(code, at)) {
    const char = code[at]!;
    if (opening.includes(char)) {
      if (char === '{' && !wantsOperand) return at;
      at = (partner.get(at) ?? code.length) + 1;
      wantsOperand = false;
    } else if (code.startsWith('=>', at)) {
      if (!isFunctionType(code, from, at)) return at;
      at += 2;
      wantsOperand = true;
    } else if (/[|&<,?:]/.test(char)) {
      at++;
      wantsOperand = true;
    } else if (char === '>' || char === '.') {
      at++;
      wantsOperand = char === '.';
    } else if (/[\w$#]/.test(char)) {
      const word = /^[\w$#]+/.exec(code.slice(at))![0];
      if (!wantsOperand && !typeWords.has(word)) return at;
      at += word.length;
      wantsOperand = typeWords.has(word);
    } else return at;
  }
  return code.length;
}

/** `(): (a: A) => B {` returns a function: its arrow stands behind parentheses that the type began with. */
function isFunctionType(code: string, from: number, arrow: number): boolean {
  const type = code.slice(from, arrow).trim();
  return type.startsWith('(') && type.endsWith(')');
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (/\s/.test(code[at] ?? '')) at++;
  return at;
}
