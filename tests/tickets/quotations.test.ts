/** How many quotations and signatures are folded, in text and in HTML, and that no word of the author is. */
import { describe, expect, test } from 'vitest';
import { foldQuotation } from '../../shared/tickets/fold-html.ts';
import { sanitiseMailHtml } from '../../shared/tickets/mail-html.ts';
import { splitQuotedText } from '../../shared/tickets/quoted-text.ts';
import { corpusFiles, corpusMail, readMail } from '../harness/memory/mail-files.ts';
import { forwardedTexts } from './quotations/forwarded-texts.ts';
import { htmlSamples, intactHtml } from './quotations/html-samples.ts';
import { intactTexts } from './quotations/intact-texts.ts';
import type { Sample } from './quotations/sample.ts';
import { textSamples } from './quotations/text-samples.ts';

const squeeze = (text: string): string => text.replace(/\s+/g, '');
const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&', '&quot;': '"' };
const words = (html: string): string =>
  html.replace(/<[^>]*>/g, ' ').replace(/&(?:lt|gt|amp|quot);/g, (entity) => entities[entity] ?? entity);

interface Folded {
  inSight: string;
  everything: string;
}

function foldedText({ body, subject }: Sample): Folded {
  const { written, signature = '', quoted } = splitQuotedText(body, subject);
  return { inSight: written, everything: `${written}\n${signature}\n${quoted}` };
}

async function foldedHtml({ body, subject = '' }: Sample): Promise<Folded> {
  const safe = await sanitiseMailHtml(body, { remoteImages: 'blocked', inlineImage: () => undefined });
  if (safe === 'too-deep') throw new Error('too deep');
  const html = foldQuotation(safe.html, subject);
  return { inSight: words(html.split('<details')[0] ?? ''), everything: words(html) };
}

interface Reach {
  reached: number;
  /** Each quotation with words that are still visible. */
  missed: string[];
  /** Each message with a wanted word that is folded. */
  hidden: string[];
  /** Each message with a word that has disappeared. */
  lost: string[];
}

async function reachOf(
  samples: readonly Sample[],
  fold: (sample: Sample) => Folded | Promise<Folded>,
): Promise<Reach> {
  const reach: Reach = { reached: 0, missed: [], hidden: [], lost: [] };
  for (const sample of samples) {
    const { inSight, everything } = await fold(sample);
    const stands = (place: string) => (word: string) => squeeze(place).includes(squeeze(word));
    if (!sample.wanted.every(stands(inSight))) reach.hidden.push(sample.name);
    if (![...sample.wanted, ...sample.folded].every(stands(everything))) reach.lost.push(sample.name);
    if (sample.folded.length === 0) continue;
    if (sample.folded.some(stands(inSight))) reach.missed.push(sample.name);
    else reach.reached += 1;
  }
  return reach;
}

function report(what: string, { reached, missed, hidden }: Reach): void {
  console.info(
    `${what}: ${reached} of ${reached + missed.length} folded, wanted words hidden in ${hidden.length}`,
  );
}

/** 85 of 96. */
const least = (all: number): number => Math.ceil((all * 85) / 96);

test('there are enough samples: 60 and more of each kind, and of what must stay visible', () => {
  expect(textSamples.length).toBeGreaterThanOrEqual(60);
  expect(htmlSamples.length).toBeGreaterThanOrEqual(60);
  expect(intactTexts.length + forwardedTexts.length + intactHtml.length).toBeGreaterThanOrEqual(50);
});

describe('in texts', () => {
  test('of twelve languages and more, quotations and signatures are folded and no reply is', async () => {
    const reach = await reachOf(textSamples, foldedText);
    report('quotations in texts', reach);
    expect(reach.hidden).toEqual([]);
    expect(reach.lost).toEqual([]);
    expect(reach.missed).toEqual([]);
  });

  test.each([...intactTexts, ...forwardedTexts])('$name stays visible', async (sample) => {
    expect(await reachOf([sample], foldedText)).toMatchObject({ hidden: [], lost: [] });
    expect(splitQuotedText(sample.body, sample.subject).quoted).toBe('');
  });
});

describe('in HTML', () => {
  test('of twelve languages and more, quotations and signatures are folded and no reply is', async () => {
    const reach = await reachOf(htmlSamples, foldedHtml);
    report('quotations in HTML', reach);
    expect(reach.hidden).toEqual([]);
    expect(reach.lost).toEqual([]);
    expect(reach.missed).toEqual([]);
  });

  test.each(intactHtml)('$name stays visible', async (sample) => {
    expect(await reachOf([sample], foldedHtml)).toMatchObject({ hidden: [], lost: [] });
    const { html } = (await sanitiseMailHtml(sample.body, {
      remoteImages: 'blocked',
      inlineImage: () => undefined,
    })) as { html: string };
    expect(foldQuotation(html, sample.subject ?? '')).not.toContain('<details');
  });
});

describe('in the replies that Talon collected from mail clients', () => {
  const folder = 'talon/tests/fixtures/standard_replies/';
  const replies = corpusFiles().filter((path) => path.startsWith(folder) && path.endsWith('.eml'));

  /** The reply by Talon's authors is "Hello" if no file says more; here its signature is folded as well. */
  async function samples(of: 'text' | 'html'): Promise<Sample[]> {
    const found: Sample[] = [];
    for (const path of replies) {
      const mail = await readMail(corpusMail(path));
      const body = of === 'text' ? mail.text : (mail.html ?? '');
      // A reply below the quotation: everything stays.
      const below = path.endsWith('thunderbird.eml');
      const outlook = path.endsWith('outlook.eml');
      const wanted = [outlook && of === 'html' ? 'Allo! Follow up MIME!' : 'Hello'];
      const folded = [outlook ? 'The manager has commented' : 'Hi'];
      if (body !== '')
        found.push({ name: path, subject: mail.subject, body, wanted, folded: below ? [] : folded });
    }
    return found;
  }

  test('the quotation is folded and the reply is not', async () => {
    expect(replies.length).toBe(12);
    const texts = await reachOf(await samples('text'), foldedText);
    const html = await reachOf(await samples('html'), foldedHtml);
    report("Talon's replies, texts", texts);
    report("Talon's replies, HTML", html);
    for (const reach of [texts, html]) {
      expect(reach.hidden).toEqual([]);
      expect(reach.lost).toEqual([]);
      expect(reach.reached, reach.missed.join(', ')).toBeGreaterThanOrEqual(
        least(reach.reached + reach.missed.length),
      );
    }
  });
});
