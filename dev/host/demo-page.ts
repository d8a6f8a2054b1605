import { createTransport } from 'nodemailer';
import { type ReceivedMail, readCustomerMail } from './customer-inbox.ts';
import { escapeHtml, hostPage, seeOther } from './html.ts';
import type { Answer } from './http-answer.ts';
import type { DemoMailOptions } from './options.ts';

export const DEMO_PATH = '/.local';

export interface DemoPage {
  /** `form` is there for a POST. */
  answer(path: string, query: URLSearchParams, form: URLSearchParams | undefined): Promise<Answer>;
}

const FLASHES: Readonly<Record<string, string>> = {
  sent: 'The mail is in the mailbox. Postroom fetches it within a minute, or at once with “Fetch now”.',
  fetching: 'Postroom looks into its mailboxes now. New tickets appear in a few seconds.',
};

interface DemoMail {
  to: string;
  name: string;
  from: string;
  subject: string;
  text: string;
  /** Message-IDs of the thread, the answered one last; empty: a new one. */
  references: readonly string[];
}

/**
 * A page of the host, outside the app: plays a customer who writes an email, reads what came back and answers it,
 * and starts a fetch manually.
 * @param fetchNow does what the timer does
 */
export function createDemoPage(demo: DemoMailOptions | undefined, fetchNow: () => void): DemoPage {
  return {
    async answer(path, query, form) {
      if (form === undefined && path === DEMO_PATH) {
        const received = await receivedBy(demo);
        const answered = received.find(({ file }) => file === query.get('answer'));
        const mail = answered === undefined ? EXAMPLE : answerTo(answered, demo);
        return page(demo, { said: FLASHES[query.get('flash') ?? ''], mail, received });
      }
      if (form !== undefined && path === `${DEMO_PATH}/fetch`) {
        fetchNow();
        return seeOther(`${DEMO_PATH}?flash=fetching`);
      }
      if (form !== undefined && path === `${DEMO_PATH}/mail` && demo !== undefined) {
        const mail = mailOf(form);
        const wrong = whatIsWrong(mail, demo);
        if (wrong !== undefined) return page(demo, { said: wrong, mail, status: 422 });
        try {
          await send(mail, demo);
        } catch {
          const said = 'The demo mail server did not take the mail. Start again with npm start.';
          return page(demo, { said, mail, status: 502 });
        }
        return seeOther(`${DEMO_PATH}?flash=sent`);
      }
      return hostPage('No such page', `<p><a href="${DEMO_PATH}">Demo mail</a></p>`, 404);
    },
  };
}

function mailOf(form: URLSearchParams): DemoMail {
  const field = (name: string): string => (form.get(name) ?? '').trim();
  return {
    to: field('to'),
    name: field('name'),
    from: field('from'),
    subject: field('subject'),
    text: form.get('text') ?? '',
    references: field('references').match(/<[^<>\s]+>/g) ?? [],
  };
}

const receivedBy = async (demo: DemoMailOptions | undefined): Promise<ReceivedMail[]> =>
  demo?.customerMail === undefined ? [] : readCustomerMail(demo.customerMail);

function answerTo(mail: ReceivedMail, demo: DemoMailOptions | undefined): DemoMail {
  // The reply address may have a tag: `support+12@contoso.example`.
  const [local = '', domain] = mail.replyTo.split('@');
  const plain = `${local.replace(/\+.*/, '')}@${domain}`;
  return {
    to: demo?.mailboxes.find((address) => address === plain) ?? '',
    name: mail.to.name || mail.to.address.replace(/@.*/, ''),
    from: mail.to.address,
    subject: /^re:/i.test(mail.subject) ? mail.subject : `Re: ${mail.subject}`,
    text: `\n\n${mail.from} wrote:\n${mail.text.trim().replace(/^/gm, '> ')}\n`,
    references: [...mail.references, mail.messageId].filter((id) => id !== ''),
  };
}

function whatIsWrong({ to, from }: DemoMail, { mailboxes }: DemoMailOptions): string | undefined {
  if (!mailboxes.includes(to)) return 'Choose one of the demo mailboxes.';
  if (!/^[^\s@<>",;]+@[^\s@<>",;]+$/.test(from))
    return 'Enter the address of the sender, such as dana@customer.example.';
  return undefined;
}

async function send(
  { to, name, from, subject, text, references }: DemoMail,
  { dropSmtp }: DemoMailOptions,
): Promise<void> {
  const transport = createTransport({ ...dropSmtp, secure: false, ignoreTLS: true });
  try {
    const inReplyTo = references.at(-1);
    const thread = inReplyTo === undefined ? {} : { inReplyTo, references: [...references] };
    await transport.sendMail({ to, from: { name, address: from }, subject, text, ...thread });
  } finally {
    transport.close();
  }
}

const EXAMPLE: DemoMail = {
  to: '',
  name: 'Dana Customer',
  from: 'dana@customer.example',
  subject: 'The printer on the second floor',
  text: 'Hello,\n\nsince this morning it prints everything twice. Can somebody have a look?\n\nDana',
  references: [],
};

interface Shown {
  said?: string | undefined;
  mail?: DemoMail;
  received?: readonly ReceivedMail[];
  status?: number;
}

function page(
  demo: DemoMailOptions | undefined,
  { said, mail = EXAMPLE, received = [], status = 200 }: Shown,
): Answer {
  const note = said === undefined ? '' : `<p class="said" role="status">${escapeHtml(said)}</p>`;
  return hostPage(
    'Demo mail',
    `${note}<p>This page belongs to the local host and exists only here. <a href="/">Open Postroom</a></p>
${demo === undefined ? '' : mailForm(demo, mail)}
${demo?.customerMail === undefined ? '' : inbox(received)}
<h2>Fetch mail</h2>
<p>The timer fetches each minute. This starts it now.</p>
<form method="post" action="${DEMO_PATH}/fetch"><button>Fetch now</button></form>`,
    status,
  );
}

function mailForm({ mailboxes, dropSmtp }: DemoMailOptions, mail: DemoMail): string {
  const options = mailboxes
    .map((address) => {
      const chosen = address === mail.to ? ' selected' : '';
      return `<option${chosen}>${escapeHtml(address)}</option>`;
    })
    .join('');
  const input = (name: string, label: string, value: string, type = 'text'): string =>
    `<label for="${name}">${label}</label><input id="${name}" name="${name}" type="${type}" value="${escapeHtml(value)}" required>`;
  return `<h2 id="write">${mail.references.length === 0 ? 'Write to a mailbox as a customer would' : 'Answer as the customer would'}</h2>
<form method="post" action="${DEMO_PATH}/mail">
<input type="hidden" name="references" value="${escapeHtml(mail.references.join(' '))}">
<label for="to">To</label><select id="to" name="to">${options}</select>
${input('name', 'Your name', mail.name)}
${input('from', 'Your address', mail.from, 'email')}
${input('subject', 'Subject', mail.subject)}
<label for="text">Text</label><textarea id="text" name="text">${escapeHtml(mail.text)}</textarea>
<button>Send</button></form>
<p>Any mail program can send too: SMTP to ${escapeHtml(dropSmtp.host)}, port ${dropSmtp.port}, without a password.</p>`;
}

/** What was sent to addresses outside of the demo. */
function inbox(received: readonly ReceivedMail[]): string {
  const mails = received.map(
    ({ file, from, to, subject, text, attachments }) => `<article>
<h3>${escapeHtml(subject)}</h3>
<p>From ${escapeHtml(from)} to ${escapeHtml(to.address)}</p>
<pre>${escapeHtml(text.trim())}</pre>
${attachments.length === 0 ? '' : `<p>Attached: ${escapeHtml(attachments.join(', '))}</p>`}
<p><a href="${DEMO_PATH}?answer=${encodeURIComponent(file)}#write">Answer as ${escapeHtml(to.address)}</a></p>
</article>`,
  );
  return `<h2>What customers received</h2>
${mails.length === 0 ? '<p>Nothing yet. Reply to a ticket: the email arrives here, whatever its address.</p>' : mails.join('')}
<p>Only email to an address at nowhere.example comes back as undeliverable.</p>`;
}
