import { attributions, deviceLines, outlookFields } from './attributions.ts';
import { clientTexts } from './client-texts.ts';
import { answer, question, type Sample } from './sample.ts';
import { signatureTexts } from './signature-texts.ts';
import { outlookBlock, textSample } from './text-sample.ts';

/** For a text with a marked quotation, and one with an unmarked quotation. */
const byAttribution = attributions.flatMap(([client, ...lines], place): Sample[] => [
  textSample(
    `${client}: lines with >`,
    [answer, '', ...lines, '>', `> ${question}`, '>', '> Ada'],
    [answer],
    [...lines, question],
  ),
  ...(place % 3 === 0
    ? [
        textSample(
          `${client}: lines without >`,
          [answer, '', ...lines, '', question, '', 'Ada'],
          [answer],
          [...lines, question],
        ),
      ]
    : []),
  ...(place % 4 === 0
    ? [
        textSample(
          `${client}: the answer right above`,
          [answer, ...lines, `> ${question}`],
          [answer],
          [...lines, question],
        ),
      ]
    : []),
]);

const byFields = outlookFields.map(([language, ...fields]) =>
  textSample(
    `Outlook in ${language}`,
    [answer, '', ...outlookBlock(fields), '', question, '', 'Ada'],
    [answer],
    [...outlookBlock(fields), question],
  ),
);

const byDevice = deviceLines.map((line) =>
  textSample(`the device: ${line}`, [answer, '', line], [answer], [line]),
);

export const textSamples: readonly Sample[] = [
  ...byAttribution,
  ...byFields,
  ...byDevice,
  ...signatureTexts,
  ...clientTexts,
];
