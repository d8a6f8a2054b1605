/** The results of further probes after "User is authenticated but not connected". */
export interface AccessProbes {
  mailbox: string;
  /** Who signed in. */
  user: string;
  /** Listing folders over the same session. */
  folders: 'opens' | 'refused';
  /** Opening the same mailbox over a second connection, a moment later. */
  again: 'opens' | 'refused';
  /** Opening the signed-in user's own mailbox; undefined when it is the same one. */
  own: 'opens' | 'refused' | undefined;
}

/**
 * The likely cause of that error, as far as probes can show. Pure.
 * https://learn.microsoft.com/exchange/troubleshoot/user-and-shared-mailboxes/pop3-imap-owa-activesync-office-365
 */
export function diagnoseNoAccess({ mailbox, user, folders, again, own }: AccessProbes): string {
  if (again === 'opens')
    return 'A second attempt a moment later worked. The server was busy, or too many clients were connected. Nothing needs to be fixed.';
  if (folders === 'opens')
    return 'The folder list opens, so the mailbox itself is accessible. Only this folder cannot be opened.';
  if (own === undefined)
    return `${mailbox} is the mailbox of the user who signed in, so no permission is missing. IMAP is turned off for it, it has no license, or it was moved recently.`;
  if (own === 'opens')
    return `${user}’s own mailbox opens, but ${mailbox} does not, so the sign-in and IMAP work. ${user} lacks Full Access to ${mailbox}, was given it less than an hour ago, or IMAP is turned off for ${mailbox}.`;
  return `Neither ${mailbox} nor ${user}’s own mailbox opens: either IMAP is turned off for ${user}, or ${user} has no mailbox. First check whether ${user} is the right user to sign in.`;
}
