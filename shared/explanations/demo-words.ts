import type { Explanation } from './explanation.ts';

const BEGIN_AFRESH =
  'The demo’s identity provider and mail server run on this machine and have no settings pages. To start over, stop Postroom, delete the folder .local, and run npm start.';

// Steps that need a portal, a shell or Microsoft's support.
const ELSEWHERE =
  /\b(?:Microsoft|Entra|Exchange|Azure|Office 365|Defender|Conditional Access|PowerShell|admins? (?:of|center)|(?:tenant|network) admins?|app registrations?|enterprise app(?:lication)?s?|API permissions|Application permissions|sign-in logs|correlation ID|tenant ID|(?:Set|Add|Get|New|Connect)-[A-Z][A-Za-z]+)\b/i;

const MICROSOFT_ADDRESS =
  /https?:\/\/(?:[a-z0-9-]{1,63}\.){0,5}(?:microsoft(?:online)?\.[a-z]{2,3}|aka\.ms|azure\.(?:com|us|cn))(?![a-z0-9.-])[^\s"'”]{0,600}/gi;
/** A provider's suggestion to visit a portal, to the end of its sentence. */
const PORTAL_SENTENCE = /\s?\b(?:Visit|Go to|See) the (?:Microsoft )?(?:Azure|Entra) [^.]{0,120}\./gi;

/** Longer names first: otherwise a part of them would match. */
const names: readonly (readonly [RegExp, string])[] = [
  [/\bpersonal Microsoft accounts\b/g, 'personal accounts'],
  [/\bpersonal Microsoft account\b/g, 'personal account'],
  [/\b(?:Office 365 )?Exchange Online\b/g, 'the demo’s mail server'],
  [/\bMicrosoft Exchange\b/g, 'the demo’s mail server'],
  [/\bMicrosoft Graph\b/g, 'the demo’s Graph'],
  [/\bMicrosoft Entra(?: ID)?\b/g, 'the demo’s identity provider'],
  [/\bMicrosoft 365\b/g, 'the demo'],
  [/\ban Exchange\b/g, 'a mail server’s'],
  [/\bExchange[’']s\b/g, 'the demo’s'],
  [/\bExchange\b/g, 'the demo’s mail server'],
  [/\bEntra(?: ID)?\b/g, 'the demo’s identity provider'],
  [/\bMicrosoft[’']s\b/g, 'the demo’s'],
  [/\bMicrosoft\b/g, 'the demo’s identity provider'],
];

/** Replaces Microsoft's names by those of the demo's servers. Codes such as AADSTS7000222 stay. Pure. */
export function inDemoWords(sentence: string): string {
  let words = sentence.replaceAll(MICROSOFT_ADDRESS, '').replaceAll(PORTAL_SENTENCE, '');
  for (const [name, ours] of names) words = words.replaceAll(name, ours);
  return words
    .replaceAll(/(^|[.!?] )the demo/g, '$1The demo')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

/**
 * The same explanation for the demo's provider. It has no portal, so the steps are those that Postroom
 * itself can do; links, support IDs and Microsoft's names are omitted. Pure.
 */
export function explainedInDemo(explanation: Explanation): Explanation {
  const { correlationId: _, traceId: __, timestamp: ___, ...rest } = explanation;
  const here = explanation.steps.filter((step) => !ELSEWHERE.test(step));
  return {
    ...rest,
    title: inDemoWords(explanation.title),
    cause: inDemoWords(explanation.cause),
    who:
      explanation.who === 'microsoft'
        ? 'nobody: wait'
        : explanation.who === 'tenant-admin'
          ? 'you'
          : explanation.who,
    steps: here.length === explanation.steps.length ? here : [...here, BEGIN_AFRESH],
    links: [],
    said: inDemoWords(explanation.said),
  };
}
