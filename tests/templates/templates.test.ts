import { describe, expect, it, test } from 'vitest';
import {
  composeAcknowledgement,
  sampleTicket,
} from '../../shared/acknowledgements/compose-acknowledgement.ts';
import { defaultTemplates, templateLanguages } from '../../shared/templates/default-templates.ts';
import { MAX_MARKDOWN, renderMarkdown, renderTemplate } from '../../shared/templates/render-markdown.ts';
import {
  errorsInWords,
  fillTemplate,
  parseTemplate,
  type TemplatePiece,
  type TemplateValues,
} from '../../shared/templates/template.ts';
import { templateValues } from '../../shared/templates/template-values.ts';
import { processorTime } from '../harness/measure-time.ts';

const values: TemplateValues = {
  'ticket number': '12',
  subject: 'Lamp',
  'requester name': 'Kim',
  'mailbox name': 'Support',
  'opening hours': '',
};
const pieces = (template: string): readonly TemplatePiece[] => {
  const parsed = parseTemplate(template);
  if (parsed.kind === 'invalid') throw new Error(errorsInWords(parsed.errors));
  return parsed.pieces;
};
const fill = (template: string, change: Partial<TemplateValues> = {}): string =>
  fillTemplate(pieces(template), { ...values, ...change });

describe('a template', () => {
  it('is filled, whatever the case and blanks of its variables', () => {
    expect(fill('Hello {{requester name}}, {{ Ticket  Number }}: {{SUBJECT}}')).toBe('Hello Kim, 12: Lamp');
    expect(fill('no variables { here } }}')).toBe('no variables { here } }}');
  });

  it('has no private character that would be read as a variable', async () => {
    const { text, html } = await renderTemplate(pieces('a\ue001b {{subject}}'), values);
    expect([text, html]).toEqual(['ab Lamp', '<p>ab Lamp</p>']);
  });

  it('does not read variables in values', () => {
    expect(fill('{{subject}}', { subject: '{{ticket number}}' })).toBe('{{ticket number}}');
  });

  it('leaves out a line whose variables are all empty', () => {
    expect(fill('a\n {{opening hours}} \nb')).toBe('a\nb');
    expect(fill('a\n{{opening hours}}{{subject}}\nb')).toBe('a\nLamp\nb');
    expect(fill('a\nOpen: {{opening hours}}\nb')).toBe('a\nOpen: \nb');
  });

  test.each([
    ['Hi {{name}}', 1, 4, '{{name}} is not a variable.'],
    ['Hi\n\n  {{subject', 3, 3, 'A variable starts here but does not end.'],
    ['{{}}', 1, 1, '{{}} is not a variable.'],
  ])('%j has an error in line %i at character %i', (template, line, column, message) => {
    const parsed = parseTemplate(template);
    expect(parsed).toMatchObject({ kind: 'invalid', errors: [{ line, column }] });
    if (parsed.kind === 'invalid') expect(errorsInWords(parsed.errors)).toContain(message);
  });
});

describe('values from outside', () => {
  const of = (name: string | undefined, subject = 'Lamp'): TemplateValues =>
    templateValues({
      ticket: { number: 12, subject, requester: { name, address: 'kim@customer.example' } },
      mailbox: { address: 'support@contoso.example' },
    });

  it('are one line, and cut', () => {
    expect(of('Kim', 'a\r\nBcc: x@y.example\u2028b').subject).toBe('a Bcc: x@y.example b');
    expect(of('Kim', 'x'.repeat(500)).subject).toHaveLength(200);
  });

  test.each(['https://shop.example wins', 'www.shop.example', '', undefined])(
    'have the address instead of the name %j',
    (name) => {
      expect(of(name)['requester name']).toBe('kim@customer.example');
    },
  );

  it('are neither Markdown nor HTML in a rendered template', async () => {
    const subject = '[click](https://evil.example) <img src=x onerror=alert(1)> *a* \ue001';
    const { text, html } = await renderTemplate(
      pieces('**{{subject}}** [open](https://desk.example/?q={{subject}}) <b>'),
      { ...values, subject },
    );
    expect(text).toContain(subject);
    expect(html).toContain(
      '<strong>[click](https://evil.example) &#60;img src=x onerror=alert(1)&#62; *a* \ue001</strong>',
    );
    expect(html).not.toMatch(/<(?:img|b)\b/);
    expect(html.match(/<a /g)).toHaveLength(1);
    expect(html).toContain('href="https://desk.example/?q=%5Bclick%5D');
  });
});

describe('Markdown', () => {
  it('becomes text and HTML', async () => {
    const { text, html } = await renderMarkdown(
      'Hello **Kim**,\nsee [the page](https://a.example/x).\n\n1. one\n2. two\n   - deep\n\n> quoted\n\n`code` & https://b.example',
    );
    expect(text).toBe(
      'Hello Kim,\nsee the page <https://a.example/x>.\n\n1. one\n2. two\n   - deep\n\n> quoted\n\ncode & https://b.example',
    );
    expect(html).toContain(
      '<p>Hello <strong>Kim</strong>,<br />\nsee <a href="https://a.example/x">the page</a>.</p>',
    );
    expect(html).toContain('<blockquote>\n<p>quoted</p>\n</blockquote>');
  });

  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '![x](javascript:alert(1))',
    '<a href="javascript:alert(1)">x</a>',
    '[x](https://a.example/" onmouseover="alert(1))',
    '![a](https://a.example/x.png"onerror="alert(1))',
    '<style>*{display:none}</style>',
  ])('makes %j harmless', async (source) => {
    const { html } = await renderMarkdown(source);
    expect(html).not.toMatch(
      /<(?:script|style)|<[^>]*\s(?:href|src)="(?:javascript|data|x)|<[^>]*\son\w+="/i,
    );
  });

  test.each([
    ['quotations', '>'.repeat(MAX_MARKDOWN)],
    ['lists in quotations', '>- '.repeat(MAX_MARKDOWN / 3)],
    ['numbers', '1. '.repeat(MAX_MARKDOWN / 3)],
    ['emphasis', '_a_'.repeat(MAX_MARKDOWN / 3)],
    ['strong words', '**a'.repeat(MAX_MARKDOWN / 3)],
    ['brackets', '![['.repeat(MAX_MARKDOWN / 3)],
    ['code', '`a``'.repeat(MAX_MARKDOWN / 4)],
  ])('of nothing but %s is rendered in time', async (_, source) => {
    expect(await processorTime(() => renderMarkdown(source))).toBeLessThan(5_000);
  });
});

describe('an acknowledgement', () => {
  test.each(templateLanguages)('in %s has number and subject, and no variable left', async (language) => {
    const composed = await composeAcknowledgement(
      { language, ...defaultTemplates[language] },
      {
        ticket: sampleTicket,
        mailbox: { address: 'support@contoso.example', answers: { openingHours: 'Mo–Fr 9–17' } },
      },
      { messageId: '<2@x.example>', answers: ['<1@x.example>'] },
    );
    expect(composed.subject).toContain('Printer on the second floor [#1042]');
    expect(composed.text).toContain('1042');
    expect(composed.text).toContain('Mo–Fr 9–17');
    expect(composed.html).toContain('<p>Mo–Fr 9–17</p>');
    expect(composed.text + composed.html + composed.subject).not.toMatch(/[{}]/);
    expect(composed.references).toEqual(['<1@x.example>', '<2@x.example>']);
  });

  it('keeps its subject in one line', async () => {
    const { subject } = await composeAcknowledgement(
      { language: 'en', subject: '{{subject}}', text: 'x' },
      {
        ticket: { ...sampleTicket, subject: 'a\r\nBcc: v@x.example' },
        mailbox: { address: 'support@contoso.example' },
      },
      { messageId: undefined },
    );
    expect(subject).toBe('a Bcc: v@x.example');
  });

  it('uses the default template where the stored one is no longer valid', async () => {
    const { text } = await composeAcknowledgement(
      { language: 'de', subject: 'x', text: '{{gone}}' },
      { ticket: sampleTicket, mailbox: { address: 'support@contoso.example' } },
      { messageId: undefined },
    );
    expect(text).toContain('Guten Tag');
  });
});
