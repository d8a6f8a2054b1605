import { describe, expect, test } from 'vitest';
import { parseShardMessage } from '../../functions/triggers/fetch-shard.ts';

describe('a message of the queue fetch-shard', () => {
  test('names a shard and its mailboxes', () => {
    expect(parseShardMessage({ shard: 0, mailboxIds: ['a', 'b'] })).toEqual({
      shard: 0,
      mailboxIds: ['a', 'b'],
    });
  });

  test('may contain at most 100 mailboxes', () => {
    const mailboxIds = Array.from({ length: 100 }, (_value, index) => `m${index}`);
    expect(parseShardMessage({ shard: 1, mailboxIds }).mailboxIds).toHaveLength(100);
    expect(() => parseShardMessage({ shard: 1, mailboxIds: [...mailboxIds, 'one more'] })).toThrow(
      'is not { shard, mailboxIds }',
    );
  });

  test.each([
    ['text'],
    [null],
    [{ shard: -1, mailboxIds: [] }],
    [{ shard: 1, mailboxIds: [''] }],
    [{ shard: 1 }],
  ])('%j is rejected', (message) => {
    expect(() => parseShardMessage(message)).toThrow(expect.objectContaining({ code: 'bad-message' }));
  });
});
