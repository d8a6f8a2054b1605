import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BuiltSdks, Entity } from '../../dev/bench/built-sdks.ts';
import { bigMail, mixedMails, plainMails } from '../../dev/bench/corpus.ts';
import { goalsOf } from '../../dev/bench/goals.ts';
import type { IntakeNumbers } from '../../dev/bench/intake-bench.ts';
import {
  callRunner,
  moved,
  recordCalls,
  replayCalls,
  type StorageCall,
} from '../../dev/bench/recorded-storage.ts';
import { median } from '../../dev/bench/statistics.ts';

describe('the emails of the benchmark', () => {
  const mails = mixedMails(100);

  it('are the same bytes in every run', () => {
    const digest = (): string => {
      const hash = createHash('sha256');
      for (const { raw } of mixedMails(10)) hash.update(raw);
      return hash.digest('hex');
    };
    expect(digest()).toBe(digest());
  });

  it.each([
    ['small', 70, 5_000, 17_000],
    ['chain', 20, 17_000, 70_000],
    ['medium', 8, 250_000, 1_500_000],
    ['large', 2, 6_800_000, 6_900_000],
  ])('%s: %i of a hundred, each between %i and %i bytes', (kind, count, low, high) => {
    const sizes = mails.filter((mail) => mail.kind === kind).map(({ raw }) => raw.byteLength);
    expect(sizes).toHaveLength(count);
    expect(Math.min(...sizes)).toBeGreaterThan(low);
    expect(Math.max(...sizes)).toBeLessThan(high);
  });

  it('partly reply to each other', () => {
    const ids = new Set(mails.map(({ raw }) => /^Message-ID: (.*?)\r$/m.exec(raw.toString('latin1'))?.[1]));
    const answers = mails.flatMap(
      ({ raw }) => /^In-Reply-To: (.*?)\r$/m.exec(raw.toString('latin1'))?.[1] ?? [],
    );
    expect(answers).toHaveLength(20);
    const known = answers.filter((id) => ids.has(id)).length;
    expect(known).toBeGreaterThan(4);
    expect(known).toBeLessThan(16);
  });

  it('contain the attachment that they announce, in lines that email allows', () => {
    for (const { raw, attachment } of [
      ...mails.filter(({ kind }) => kind === 'medium'),
      bigMail(2_000_000),
    ]) {
      const text = raw.toString('latin1');
      const content = Buffer.from(/base64\r\n\r\n([\s\S]*?)\r\n--_004_/.exec(text)?.[1] ?? '', 'base64');
      expect(createHash('sha256').update(content).digest('hex')).toBe(attachment?.sha256);
      expect(Math.max(...text.split('\r\n').map(({ length }) => length))).toBeLessThan(1000);
    }
    expect(bigMail(2_000_000).raw.byteLength).toBeGreaterThan(1_950_000);
    expect(plainMails(5).every(({ kind }) => kind === 'small')).toBe(true);
  });
});

describe('the storage floor', () => {
  const written = new Set<string>();
  const fail = (): never => {
    throw new Error('refused');
  };
  /** The part of a table that the recording needs: a duplicate key is rejected. */
  class Table {
    readonly tableName = 'Ledger';
    async createTable(): Promise<void> {}
    async createEntity({ partitionKey, rowKey }: Entity): Promise<void> {
      const key = `${partitionKey}/${rowKey}`;
      if (written.has(key)) fail();
      written.add(key);
    }
    async upsertEntity(): Promise<void> {}
    async updateEntity(): Promise<void> {}
    async deleteEntity(): Promise<void> {}
    async getEntity(partitionKey: string, rowKey: string): Promise<void> {
      if (!written.has(`${partitionKey}/${rowKey}`)) fail();
    }
    listEntities(): never {
      return fail();
    }
    async submitTransaction(): Promise<void> {}
    static fromConnectionString = (): Table => new Table();
  }
  class Blob {
    readonly name = 'raw/1.eml';
    async upload(_bytes: Uint8Array | string, _length: number, _options: object): Promise<void> {}
    async downloadToBuffer(): Promise<Buffer> {
      return Buffer.alloc(0);
    }
  }
  const sdks: BuiltSdks = {
    TableClient: Table,
    BlockBlobClient: Blob,
    BlobServiceClient: {
      fromConnectionString: () => ({ getContainerClient: () => ({ getBlockBlobClient: () => new Blob() }) }),
    },
    ImapFlow: fail as never,
  };

  it('repeats the recording under other keys, and detects different results', async () => {
    const calls: StorageCall[] = [];
    const run = callRunner(sdks, '');
    recordCalls(sdks, calls);
    const [table, entity] = [new Table(), { partitionKey: 'box', rowKey: 'a' }];
    await table.createEntity(entity);
    await expect(table.createEntity(entity)).rejects.toThrow('refused');
    await new Blob().upload(Buffer.from('mail'), 4, {});
    expect(calls.map(({ kind, failed }) => [kind, failed])).toEqual([
      ['create', false],
      ['create', true],
      ['upload', false],
    ]);
    const recorded = calls.splice(0);
    const again = recorded.map((call) => moved(call, 'floor'));
    expect(await replayCalls(run, again, 1)).toEqual([]);
    expect([...written]).toEqual(['box/a', 'floor-box/a']);
    expect(await replayCalls(run, again, 1)).toEqual(['create Ledger']);
  });

  it('sends no ETag of the recorded run and stays in its own partition', () => {
    const entity = { partitionKey: 'box', rowKey: 'a' };
    const actions = [['update', entity, 'Replace', { etag: 'x' }] as const, ['delete', entity] as const];
    const transaction = { failed: false, kind: 'transaction' as const, table: 'Ledger', actions };
    const own = { partitionKey: 'm-box', rowKey: 'a' };
    expect(moved(transaction, 'm')).toMatchObject({
      actions: [
        ['upsert', own, 'Replace'],
        ['delete', own],
      ],
    });
    const list = {
      failed: false,
      kind: 'list' as const,
      table: 'Ledger',
      filter: "PartitionKey eq 'box' and 1",
    };
    expect(moved(list, 'm')).toMatchObject({ filter: "PartitionKey eq 'm-box' and 1" });
  });
});

describe('the goals', () => {
  const good: IntakeNumbers = {
    mails: 200,
    mailsPerSecond: 60,
    rawPerSecond: 800,
    storageFloorPerSecond: 100,
    ofStorageFloor: 0.5,
    cpuMsPerMail: 12,
    rawCpuMsPerMail: 1,
    cpuOfRaw: 12,
    imapCommands: 22,
    storageRequestsPerMail: 3,
    storageRequestsPerPlainMail: 5,
    peakRssMb: 300,
    bigMailPeakRssMb: 300,
    server: 'debian',
    faults: [],
  };

  it('are met at their limits and missed beyond them', () => {
    expect(goalsOf(good, 1.6).filter(({ met }) => !met)).toEqual([]);
    const bad = {
      ...good,
      ofStorageFloor: 0.49,
      cpuOfRaw: 12.1,
      imapCommands: 23,
      storageRequestsPerPlainMail: 5.1,
      peakRssMb: 301,
      bigMailPeakRssMb: 301,
      faults: ['x'],
    };
    expect(goalsOf(bad, 1.61).filter(({ met }) => met)).toEqual([]);
  });

  it('are based on medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});
