import type { JSX } from 'hono/jsx/jsx-runtime';
import type { FolderAnswer, ServerAnswer, ServerMessage } from '../../../shared/intake/find-on-server.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { DataTable, Time } from '../../../shared/ui/lists.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { TraceLabel } from './trace-label.tsx';

/** The result of a search on a mail server, by folder. */
export function ServerResult(props: {
  mailbox: Mailbox;
  answer: ServerAnswer;
  isAdmin: boolean;
}): JSX.Element {
  const { mailbox, answer, isAdmin } = props;
  return (
    <>
      <h2>On the mail server of {mailbox.address}</h2>
      {answer.kind === 'failed' ? (
        <div class="flash warning" role="alert">
          <p>{answer.message}</p>
        </div>
      ) : (
        <>
          {answer.folders.map((folder) => (
            <Folder folder={folder} mailbox={mailbox} isAdmin={isAdmin} />
          ))}
          {answer.folders.every(({ count }) => count === 0) ? (
            <p>
              No matching email in these folders. It may have been moved or deleted, or it never arrived. Ask
              the sender for the Message-ID, the exact time, and any error message.
            </p>
          ) : null}
          {answer.folders.some(({ isJunk }) => isJunk) ? null : (
            <p class="muted">Postroom found no Junk folder on this server.</p>
          )}
        </>
      )}
    </>
  );
}

function Folder(props: { folder: FolderAnswer; mailbox: Mailbox; isAdmin: boolean }): JSX.Element {
  const { folder, count, messages, isJunk } = props.folder;
  if (count === 0)
    return (
      <p>
        <strong>{folder}</strong>: no matching email.
      </p>
    );
  return (
    <>
      {isJunk ? (
        <div class="flash warning" role="alert">
          <p>
            Found in the Junk folder “{folder}”. Postroom fetches only {props.mailbox.folder}. Move the email
            there, and the next fetch imports it.
          </p>
        </div>
      ) : null}
      <DataTable
        caption={`${folder}: ${count === 1 ? '1 email' : `${count.toLocaleString('en')} emails`}${count > messages.length ? `, the newest ${messages.length} shown` : ''}`}
        head={['Received', 'Message-ID', 'Size', 'In Postroom']}
      >
        {messages.map((message) => (
          <tr>
            <td data-label="Received">
              <Time at={message.receivedAt} />
            </td>
            <td data-label="Message-ID" class="code">
              {message.messageId === '' ? 'none' : message.messageId}
            </td>
            <td data-label="Size">{readableSize(message.size)}</td>
            <td data-label="In Postroom">
              <ServerTrace
                message={message}
                isJunk={isJunk}
                mailbox={props.mailbox}
                isAdmin={props.isAdmin}
              />
            </td>
          </tr>
        ))}
      </DataTable>
    </>
  );
}

function ServerTrace(props: {
  message: ServerMessage;
  isJunk: boolean;
  mailbox: Mailbox;
  isAdmin: boolean;
}): JSX.Element {
  const { trace } = props.message;
  if (trace !== undefined)
    return (
      <span>
        <TraceLabel trace={trace} />
        <br />
        {trace.summary}
      </span>
    );
  if (props.isJunk) return <span>Not fetched: it is in Junk.</span>;
  return (
    <span>
      Not fetched yet. Unread email is fetched within {props.mailbox.intervalMinutes}{' '}
      {props.mailbox.intervalMinutes === 1 ? 'minute' : 'minutes'}.{' '}
      {props.isAdmin ? <a href={paths.mailboxCheck(props.mailbox)}>Check the folder</a> : null}
    </span>
  );
}
