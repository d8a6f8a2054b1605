import { corpusFiles } from '../harness/memory/mail-files.ts';
import { ordinaryMails } from '../harness/memory/ordinary-mails.ts';

/** Paths of this many emails of the corpus: all hostile and all named ones, and every n-th of the rest, always the same ones. */
export function chosenFiles(count: number): string[] {
  const all = corpusFiles().filter((path) => path !== 'README.md' && !path.endsWith('_reply_text'));
  const named = new Set(ordinaryMails.map(([path]) => path));
  const sure = all.filter((path) => path.startsWith('hostile/') || named.has(path));
  const rest = all.filter((path) => !sure.includes(path));
  const wanted = count - sure.length;
  const spread = Array.from(
    { length: wanted },
    (_, index) => rest[Math.floor((index * rest.length) / wanted)],
  );
  return [...sure, ...spread.filter((path) => path !== undefined)].sort();
}
