/**
 * What does this error mean?
 *
 *   npm run explain -- 'TEXT'            an error as Microsoft, a mail server or Postroom shows it
 *   npm run explain -- CODE              a code of Postroom itself, such as bad-row
 *   npm run explain < page.txt           the same from a file
 *   npm --silent run explain -- --json 'TEXT'
 *
 * `--mailbox=`, `--client-id=`, `--tenant=`, `--redirect-uri=` and `--object-id=` (of the enterprise application) fill
 * steps and links. `--cloud=gcc-high`, `dod` or `china`: links lead to the portals of that cloud.
 * Shows nothing secret that the text may hold.
 */

import { explainText } from '../shared/explanations/explain.ts';
import type { ExplainContext, Explanation } from '../shared/explanations/explanation.ts';
import { endingInWords, fixerInWords, supportLine } from '../shared/explanations/fixer-text.ts';
import { type CloudName, cloudNames, isCloudName } from '../shared/providers/clouds.ts';

const LONGEST_INPUT = 1024 * 1024;

const contextNames: Readonly<Record<string, Exclude<keyof ExplainContext, 'cloud' | 'demo'>>> = {
  '--mailbox': 'mailbox',
  '--client-id': 'clientId',
  '--tenant': 'tenant',
  '--redirect-uri': 'redirectUri',
  '--object-id': 'objectId',
};

interface Question {
  json: boolean;
  context: ExplainContext;
  text: string;
}

/** Only these options are options: a line of a mail server may begin with a dash, as `-ERR` does. */
function questionOf(args: readonly string[]): Question {
  const question: Question = { json: false, context: {}, text: '' };
  const words: string[] = [];
  for (const word of args) {
    const [name = '', ...value] = word.split('=');
    const field = value.length > 0 ? contextNames[name] : undefined;
    const cloud = name === '--cloud' ? value.join('=') : undefined;
    if (cloud !== undefined) question.context.cloud = cloudNamed(cloud);
    else if (word === '--json') question.json = true;
    else if (field !== undefined) question.context[field] = value.join('=');
    else words.push(word);
  }
  question.text = words.join(' ');
  return question;
}

function cloudNamed(name: string): CloudName {
  if (isCloudName(name)) return name;
  process.stderr.write(`The cloud is one of ${cloudNames.join(', ')}.\n`);
  process.exit(1);
}

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) return '';
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const piece of process.stdin) {
    text += String(piece);
    if (text.length > LONGEST_INPUT) break;
  }
  return text;
}

function inWords(explanation: Explanation): string {
  const { code, title, cause, steps, links, retry, said, comparison } = explanation;
  const support = supportLine(explanation);
  return [
    `${title} (${code})`,
    '',
    cause,
    ...(said === '' ? [] : ['', `Server message: ${said}`]),
    ...(comparison === undefined
      ? []
      : ['', `  ${comparison.sent}`, `  ${comparison.expected}`, `  ${' '.repeat(comparison.same)}^`]),
    '',
    `Who can fix it: ${fixerInWords(explanation.who)}`,
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
    endingInWords(retry),
    ...(links.length === 0 ? [] : ['', ...links.map(({ label, href }) => `${label}: ${href}`)]),
    ...(support === undefined ? [] : ['', `For support: ${support}`]),
  ].join('\n');
}

const question = questionOf(process.argv.slice(2));
const text = question.text.trim() === '' ? await standardInput() : question.text;
if (text.trim() === '') {
  process.stderr.write(
    "Paste an error behind the command: npm run explain -- 'AADSTS50011: The redirect URI …'\n",
  );
  process.exitCode = 1;
} else {
  const explanation = explainText({ text, context: question.context });
  const { code, cause, steps, links, retry } = explanation;
  console.log(
    question.json
      ? JSON.stringify({ code, cause, who: explanation.who, steps, links, retry })
      : inWords(explanation),
  );
}
