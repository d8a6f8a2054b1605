import { describe, expect, test } from 'vitest';
import { linkPieces } from '../../shared/tickets/text-links.ts';

const links = (text: string): string[] =>
  linkPieces(text).flatMap((piece) => (typeof piece === 'string' ? [] : [piece.href]));

describe('web addresses in plain text', () => {
  test.each([
    ['See https://a.example/x?y=1&z=2#top.', ['https://a.example/x?y=1&z=2#top']],
    ['(http://a.example/b)', ['http://a.example/b']],
    ['http://a.example/Mail_(protocol), or', ['http://a.example/Mail_(protocol)']],
    ['<https://a.example/> "https://b.example"', ['https://a.example/', 'https://b.example']],
    ['HTTPS://A.example', ['HTTPS://A.example']],
    ['javascript:alert(1) ftp://a.example mailto:a@b.example www.a.example', []],
    ['xhttp://a.example http:// https://', []],
    ['http://[ not an address', []],
  ])('%s', (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  test('together the pieces are the text', () => {
    const text = 'One http://a.example/1, two (https://b.example/2) and\nhttp://c.example. End';
    expect(
      linkPieces(text)
        .map((piece) => (typeof piece === 'string' ? piece : piece.text))
        .join(''),
    ).toBe(text);
  });

  test('are links up to two hundred; the rest stays text', () => {
    const text = 'http://a.example '.repeat(201);
    expect(links(text)).toHaveLength(200);
    expect(linkPieces(text).at(-1)).toContain('http://a.example');
  });
});
