import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type MachineLimits, readMachineLimits } from '../../src/config/machine-limits.ts';

const gib = 2 ** 30;
const host = { cores: 16, memoryBytes: 64 * gib };

/** A machine whose /proc and /sys hold these files, as they were read on real ones. */
function limitsWith(files: Readonly<Record<string, string>>, context: TestContext): MachineLimits {
  const root = mkdtempSync(join(tmpdir(), 'skein-limits-'));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return readMachineLimits(host, root);
}

const v2Mount =
  '35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';

describe('readMachineLimits', () => {
  test('takes the host where there are no control groups', (t) => {
    assert.deepEqual(limitsWith({}, t), host);
  });

  test('reads v2 of a container with a namespace of its own', (t) => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': v2Mount,
      '/sys/fs/cgroup/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/memory.max': '2147483648\n',
    };
    assert.deepEqual(limitsWith(files, t), { cores: 4, memoryBytes: 2 * gib });
  });

  test('takes the tightest limit on the way up from a nested v2 group', (t) => {
    const slice = '/sys/fs/cgroup/user.slice/user-1000.slice';
    const files = {
      '/proc/self/cgroup': '0::/user.slice/user-1000.slice/skein.service\n',
      '/proc/self/mountinfo': v2Mount,
      [`${slice}/skein.service/cpu.max`]: 'max 100000\n',
      [`${slice}/skein.service/memory.max`]: '8589934592\n',
      [`${slice}/cpu.max`]: '250000 100000\n',
      [`${slice}/memory.max`]: '4294967296\n',
      '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
    };
    assert.deepEqual(limitsWith(files, t), { cores: 2, memoryBytes: 4 * gib });
  });

  for (const [cpuMax, cores] of [
    ['150000 100000', 1],
    ['50000 100000', 1],
    ['max 100000', 16],
    ['3200000 100000', 16],
    ['300000', 3],
  ] as const) {
    test(`counts ${cores} cores for a cpu.max of '${cpuMax}' on 16`, (t) => {
      const files = {
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': v2Mount,
        '/sys/fs/cgroup/cpu.max': `${cpuMax}\n`,
      };
      assert.equal(limitsWith(files, t).cores, cores);
    });
  }

  test('reads v1 of a container that sees the path of its host', (t) => {
    const id = '/docker/0a1b2c';
    const files = {
      '/proc/self/cgroup': `12:memory:${id}\n5:cpu,cpuacct:${id}\n1:name=systemd:${id}\n`,
      '/proc/self/mountinfo':
        `41 40 0:35 ${id} /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:15 - cgroup cgroup rw,cpu,cpuacct\n` +
        `42 40 0:36 ${id} /sys/fs/cgroup/memory ro,nosuid master:17 - cgroup cgroup rw,memory\n`,
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '350000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '1073741824\n',
    };
    assert.deepEqual(limitsWith(files, t), { cores: 3, memoryBytes: gib });
  });

  test('takes the huge number that v1 writes for no limit, and a quota of -1, for none', (t) => {
    const files = {
      '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/process\n1:cpu:/\n0::/\n',
      '/proc/self/mountinfo':
        '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n' +
        '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
        '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/process/memory.limit_in_bytes': '3221225472\n',
    };
    assert.deepEqual(limitsWith(files, t), { cores: 16, memoryBytes: 3 * gib });
  });

  test('finds a mount point with a space in its path', (t) => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': '35 24 0:30 / /mnt/c\\040group rw - cgroup2 cgroup2 rw\n',
      '/mnt/c group/cpu.max': '200000 100000\n',
    };
    assert.equal(limitsWith(files, t).cores, 2);
  });

  test('looks at the mount point where the group lies outside of what is mounted', (t) => {
    const files = {
      '/proc/self/cgroup': '0::/../../elsewhere\n',
      '/proc/self/mountinfo': v2Mount,
      '/sys/fs/cgroup/cpu.max': '500000 100000\n',
    };
    assert.equal(limitsWith(files, t).cores, 5);
  });
});
