/** Separate from the other tests of the reader: under measurement each character costs more than here. */
import { expect, test } from 'vitest';
import { readAuthenticationResults } from '../../shared/mime/authentication-results.ts';
import { processorTime } from '../harness/measure-time.ts';

test.each(['(', '"', '\\', ';', '=', 'a ', 'dmarc=', 'header.from=', '@', '"x'])(
  'reads 1 MB of %j at once',
  async (piece) => {
    const field = `mx.example.org; dmarc=pass ${piece.repeat(1_000_000 / piece.length)}`;
    expect(await processorTime(() => readAuthenticationResults(field))).toBeLessThan(50);
  },
);
