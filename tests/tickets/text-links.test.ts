import { describe, expect, test } from 'vitest';
import { linkPieces } from '../../shared/tickets/text-links.ts';

const links = (text: string): string[] =>
  linkPieces(text).flatMap((piece) => (typeof piece === 'string' ? [] : [piece.href]));

describe('URLs in plain text', () => {
  test.each([
    ['See https://a.example/x?y=1&z=2#top.', ['https://a.example/x?y=1&z=2#top']],
    ['(http://a.example/b)', ['http://a.example/b']],
    ['http://a.example/Mail_(protocol), or', ['http://a.example/Mail_(protocol)']],
    ['<https://a.example/> "https://b.example"', ['https://a.example/', 'https://b.example']],
    ['HTTPS://A.example', ['HTTPS://A.example']],
    ['javascript:alert(1) ftp://a.example mailto:a@b.example www.a.example', []],
    ['xhttp://a.example http:// https://', []],
    ['http://[ not an address', []],
    [
      'http://a.example/list[1] and http://a.example/{id}',
      ['http://a.example/list[1]', 'http://a.example/{id}'],
    ],
    ['[http://a.example/1] {http://a.example/2}', ['http://a.example/1', 'http://a.example/2']],
    ['(or http://a.example/list[1])', ['http://a.example/list[1]']],
    ['“http://a.example/1”, *http://a.example/2*…', ['http://a.example/1', 'http://a.example/2*…']],
    ['http://a.example/?!', ['http://a.example/']],
  ])('%s', (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  test('are between the text before and after them', () => {
    const link = (href: string) => ({ href, text: href });
    const [one, two] = ['http://a.example/1', 'http://b.example/2'];
    expect(linkPieces(`See ${one}, or ${two}.`)).toEqual(['See ', link(one), ', or ', link(two), '.']);
    expect(linkPieces(`${one} ${two}`)).toEqual([link(one), ' ', link(two)]);
    expect(linkPieces(one)).toEqual([link(one)]);
    expect(linkPieces('No address.')).toEqual(['No address.']);
    expect(linkPieces('')).toEqual([]);
  });

  test('that are longer than any browser accepts are cut', () => {
    const long = `http://${'a'.repeat(3000)}`;
    expect(links(long).map(({ length }) => length)).toEqual(['http://'.length + 2000]);
  });

  test('and the other parts together are the text', () => {
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
    expect(linkPieces(text).at(-1)).toBe(' http://a.example ');
  });
});
