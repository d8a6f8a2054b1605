import { answer, question, type Sample } from './sample.ts';
import { outlookBlock, textSample } from './text-sample.ts';

const english = ['From', 'Sent', 'To', 'Subject'];

/** With a signature, or with text added by a phone or a mailing list. */
export const signatureTexts: readonly Sample[] = [
  textSample(
    'iPhone',
    [
      answer,
      '',
      'Sent from my iPhone',
      '',
      '> On 5 Mar 2024, at 09:14, Ada Byron <ada@contoso.example> wrote:',
      '>',
      `> ${question}`,
    ],
    [answer],
    ['Sent from my iPhone', 'Ada Byron', question],
  ),
  textSample(
    'iPhone in German',
    [
      answer,
      '',
      'Von meinem iPhone gesendet',
      '',
      'Am 05.03.2024 um 09:14 schrieb Ada Byron <ada@contoso.example>:',
      '',
      `> ${question}`,
    ],
    [answer],
    ['Von meinem iPhone gesendet', question],
  ),
  textSample(
    'iPhone in French',
    [
      answer,
      '',
      'Envoyé de mon iPhone',
      '',
      '> Le 5 mars 2024 à 09:14, Ada Byron <ada@contoso.example> a écrit :',
      '> ',
      `> ${question}`,
    ],
    [answer],
    ['Envoyé de mon iPhone', question],
  ),
  textSample(
    'Outlook for iOS',
    [
      answer,
      '',
      'Get Outlook for iOS<https://aka.ms/o0ukef>',
      '_'.repeat(32),
      ...outlookBlock(english),
      '',
      question,
    ],
    [answer],
    ['Get Outlook for iOS', question],
  ),
  textSample(
    'Outlook for Android in German',
    [
      answer,
      '',
      'Holen Sie sich Outlook für Android<https://aka.ms/AAb9ysg>',
      '_'.repeat(32),
      ...outlookBlock(['Von', 'Gesendet', 'An', 'Betreff']),
      '',
      question,
    ],
    [answer],
    ['Outlook für Android', question],
  ),
  textSample(
    'a signature above the quotation',
    [
      answer,
      '',
      '-- ',
      'Bob Stone',
      'Fabrikam, +1 555 0100',
      '',
      'On 05/03/2024 09:14, Ada Byron wrote:',
      `> ${question}`,
    ],
    [answer],
    ['+1 555 0100', question],
  ),
  textSample(
    'a signature below the quotation',
    [answer, '', 'On 05/03/2024 09:14, Ada Byron wrote:', `> ${question}`, '', '-- ', 'Bob Stone'],
    [answer],
    [question, 'Bob Stone'],
  ),
  textSample(
    'a signature without a quotation',
    [answer, '', '-- ', 'Bob Stone', 'Fabrikam, +1 555 0100'],
    [answer],
    ['+1 555 0100'],
  ),
  textSample(
    'a signature that lost its blank',
    [answer, '', '--', 'Bob Stone', 'Fabrikam'],
    [answer],
    ['Bob Stone'],
  ),
  textSample(
    'the footer of a mailing list',
    [
      answer,
      '',
      'On 05/03/2024 09:14, Ada Byron wrote:',
      `> ${question}`,
      '_'.repeat(47),
      'printers mailing list',
      'printers@lists.example',
      'https://lists.example/printers',
    ],
    [answer],
    [question, 'https://lists.example/printers'],
  ),
];
