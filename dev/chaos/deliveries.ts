import type { NamedMail } from '../demo/emails.ts';
import type { Chance } from './chance.ts';

export interface Delivery {
  address: string;
  raw: Uint8Array;
}

const COPIES = 0.06;
const THREADS = 0.05;
/** A few large messages are enough. */
const LARGE_BYTES = 12_000_000;

/**
 * Plans messages for mailboxes: files in random order, exact copies, and questions with their replies.
 * Pure.
 */
export function planDeliveries(
  files: readonly NamedMail[],
  addresses: readonly string[],
  count: number,
  chance: Chance,
): Delivery[] {
  const chosen = chance.shuffled(files);
  const planned: Delivery[] = [];
  for (let index = 0; planned.length < count; index += 1) {
    const raw = chosen[index % chosen.length]?.raw ?? new Uint8Array();
    const address = chance.pick(addresses);
    if (raw.length > LARGE_BYTES && chance.happens(0.5) && chosen.length > 1) continue;
    planned.push({ address, raw });
    if (chance.happens(COPIES)) planned.push({ address, raw });
    if (chance.happens(THREADS)) planned.push(...questionAndAnswer(address, index));
  }
  return planned.slice(0, count);
}

/** Ordinary messages, each with different content. @param name distinguishes those of different calls */
export function freshLetters(address: string, name: string, count: number): Delivery[] {
  return Array.from({ length: count }, (_, index) =>
    letter(
      address,
      'Pat <pat@customer.example>',
      [
        `Subject: ${name} ${index}`,
        `Message-ID: <${name}-${index}@customer.example>`,
        'Date: Mon, 02 Nov 2026 08:00:00 +0000',
      ],
      `This is ${name} ${index}.`,
    ),
  );
}

function questionAndAnswer(address: string, index: number): Delivery[] {
  const id = `<question-${index}@customer.example>`;
  const from = `Pat <pat${index}@customer.example>`;
  const question = [
    `Subject: Question ${index}`,
    `Message-ID: ${id}`,
    'Date: Mon, 02 Nov 2026 08:00:00 +0000',
  ];
  const answer = [
    `Subject: Re: Question ${index}`,
    `Message-ID: <answer-${index}@customer.example>`,
    `In-Reply-To: ${id}`,
    'Date: Mon, 02 Nov 2026 09:00:00 +0000',
  ];
  return [
    letter(address, from, question, `Question ${index}`),
    letter(address, from, answer, `More about ${index}`),
  ];
}

function letter(address: string, from: string, headers: readonly string[], text: string): Delivery {
  return {
    address,
    raw: Buffer.from([`From: ${from}`, `To: ${address}`, ...headers, '', text, ''].join('\r\n')),
  };
}
