import { describe, expect, test } from 'vitest';
import { assets } from '../../shared/ui/assets.ts';
import { CopyText } from '../../shared/ui/copy.tsx';
import {
  CheckboxField,
  ErrorSummary,
  RadioField,
  SelectField,
  SubmitButton,
  TextField,
} from '../../shared/ui/forms.tsx';
import { safeHref } from '../../shared/ui/links.ts';
import { DataTable, Facts, Panel, Time } from '../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../shared/ui/page.tsx';
import { readableSize } from '../../shared/ui/size.ts';
import { headingsInOrder, readPage } from '../harness/pages/read-page.ts';

const evil = `"><script>alert(1)</script>'&`;
const errors = { host: 'Enter the name of the mail server', kind: 'Choose a kind', agree: 'Tick the box' };

const everything = renderPage(
  <Page title={evil} flash={{ kind: 'error', text: evil }} hasErrors>
    <ErrorSummary errors={errors} />
    <form method="post" novalidate>
      <TextField name="host" label={evil} value={evil} hint={evil} error={errors.host} autocomplete="off" />
      <TextField name="secret" label="Secret" type="password" value="hunter2" spellcheck={false} />
      <SelectField
        name="cloud"
        label="Cloud"
        value="b"
        options={[
          { value: 'a', label: evil },
          { value: 'b', label: 'B' },
        ]}
      />
      <RadioField
        name="kind"
        legend="Kind"
        hint="What it is"
        error={errors.kind}
        value="y"
        options={[
          { value: 'x', label: evil, hint: 'First' },
          { value: 'y', label: 'Y' },
        ]}
      />
      <CheckboxField name="agree" label="Agree" hint="Why" error={errors.agree} checked />
      <SubmitButton kind="danger">Delete it</SubmitButton>
    </form>
    <Panel title="Address">
      <CopyText label="Redirect URI" value={evil} />
      <Facts items={[{ term: evil, detail: evil }]} />
    </Panel>
    <DataTable caption={evil} head={['Name', '']}>
      <tr>
        <td>{evil}</td>
        <td>x</td>
      </tr>
    </DataTable>
  </Page>,
);

describe('a page with every component', () => {
  const page = readPage(everything);

  test('has unique IDs, a label for each field and no broken reference', () => {
    expect(page).toMatchObject({ repeatedIds: [], unlabelled: [], danglingIds: [] });
  });

  test('has one h1 and its headings in order', () => {
    expect(headingsInOrder(page.headings)).toBe(true);
  });

  test('escapes all its input', () => {
    expect(everything).not.toContain('<script>alert');
    expect(everything).not.toContain(`"><script`);
    expect(everything.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(9);
  });

  test('contains nothing that its policy would block', () => {
    expect(page.inline).toEqual([]);
  });

  test('starts its title with the number of errors', () => {
    expect(everything).toContain('<title>Error: ');
  });

  test('keeps the entered values, except a secret', () => {
    expect(everything).not.toContain('hunter2');
    expect(everything).toMatch(/id="host"[^>]* value="&quot;&gt;/);
  });

  test('links from the error summary to each field, which has the same message', () => {
    for (const [field, sentence] of Object.entries(errors)) {
      expect(everything).toContain(`<a href="#${field}">${sentence}</a>`);
      expect(everything).toContain(`<p class="error" id="${field}-error">${sentence}</p>`);
    }
  });
});

describe('the page', () => {
  test('redirects only to a safe URL', () => {
    const to = (refreshTo: string): string =>
      renderPage(
        <Page title="On" refreshTo={refreshTo}>
          Wait
        </Page>,
      );
    expect(to('https://login.example/authorize?a=1&b=2')).toContain(
      '<meta http-equiv="refresh" content="0; url=https://login.example/authorize?a=1&amp;b=2"/>',
    );
    expect(to('javascript:alert(1)')).not.toContain('http-equiv');
  });

  test('shows admin links to admins only', () => {
    const as = (role: 'admin' | 'agent'): string =>
      renderPage(
        <Page title="Home" place="home" principal={{ id: '1', name: 'Mira', roles: [role] }}>
          .
        </Page>,
      );
    expect(as('admin')).toContain('href="/providers"');
    expect(as('agent')).not.toContain('href="/providers"');
    expect(as('agent')).toContain('<a href="/" aria-current="page">');
  });

  test('is not rendered while a component is still a promise', () => {
    expect(() => renderPage(<Page title="Late">{Promise.resolve('x')}</Page>)).toThrow(/promise/);
  });

  test('has an error summary only if there is an error', () => {
    expect(
      renderPage(
        <Page title="Fine">
          <ErrorSummary errors={{}} />
        </Page>,
      ),
    ).not.toContain('There is a problem');
  });

  test('names its assets by their content', () => {
    expect(assets.map(({ path }) => path.replace(/\.[0-9a-f]{12}\./, '.….'))).toEqual([
      '/assets/postroom.….css',
      '/assets/postroom.….js',
      '/assets/postroom.….svg',
    ]);
  });
});

describe('a link', () => {
  test.each([
    ['/tickets?status=closed#top', '/tickets?status=closed#top'],
    ['https://learn.microsoft.com/x', 'https://learn.microsoft.com/x'],
    ['mailto:a@b.example', 'mailto:a@b.example'],
    ['http://localhost:3000/', 'http://localhost:3000/'],
  ])('may lead to %s', (url, shown) => {
    expect(safeHref(url)).toBe(shown);
  });

  test.each([
    'javascript:alert(1)',
    ' java\nscript:alert(1)',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'http://evil.example/',
    'http://localhost.evil.example/',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'tickets',
    '',
    'https://',
  ])('never leads to %j', (url) => {
    expect(safeHref(url)).toBeUndefined();
  });
});

describe('texts', () => {
  test('a time includes its zone', () => {
    expect(String(<Time at="2026-11-24T09:05:00.000Z" />)).toBe(
      '<time datetime="2026-11-24T09:05:00.000Z" data-relative="">24 Nov 2026, 09:05 UTC</time>',
    );
  });

  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 KB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [130_000_000, '130 MB'],
  ])('%i is %s', (bytes, words) => {
    expect(readableSize(bytes)).toBe(words);
  });
});
