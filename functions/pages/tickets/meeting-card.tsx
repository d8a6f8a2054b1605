import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Invitation, Repetition } from '../../../shared/tickets/invitation.ts';
import { meetingTimes, startInUtc } from '../../../shared/tickets/meeting-times.ts';
import { Facts, StatusLabel } from '../../../shared/ui/lists.tsx';
import { shownName } from './ticket-list.tsx';

const titles: Readonly<Record<Invitation['kind'], string>> = {
  invitation: 'Meeting invitation',
  cancellation: 'Meeting cancelled',
  answer: 'Answer to an invitation',
  counter: 'New time proposed',
  event: 'Calendar event',
};
const answers: Readonly<Record<NonNullable<Invitation['answer']>['says'], string>> = {
  accepted: 'accepted',
  declined: 'declined',
  tentative: 'may come',
  other: 'has not decided',
};
/** A meeting from an email. Postroom does not respond to it; the calendar file is one of the attachments. */
export function MeetingCard({ invitation }: { invitation: Invitation }): JSX.Element {
  const { kind, title, place, organizer, repeats, answer } = invitation;
  const utc = startInUtc(invitation);
  const items: { term: string; detail: Child }[] = [
    { term: 'When', detail: meetingTimes(invitation) },
    ...(utc === undefined ? [] : [{ term: 'Starts', detail: utc }]),
    ...(repeats === undefined ? [] : [{ term: 'Repeats', detail: rhythm(repeats) }]),
    ...(place === undefined ? [] : [{ term: 'Where', detail: <span dir="auto">{place}</span> }]),
    ...(organizer === undefined ? [] : [{ term: 'Organizer', detail: nameAndAddress(organizer) }]),
    ...(answer === undefined
      ? []
      : [{ term: 'Answer', detail: `${shownName(answer.from)}: ${answers[answer.says]}` }]),
  ];
  return (
    <section class="meeting" aria-label={titles[kind]}>
      <p>
        <StatusLabel kind={kind === 'cancellation' ? 'bad' : 'quiet'}>{titles[kind]}</StatusLabel>
      </p>
      <h3 dir="auto">{title === '' ? 'Meeting without a title' : title}</h3>
      <Facts items={items} />
    </section>
  );
}

const rhythm = ({ every, unit }: Repetition): string =>
  every === 1 ? `Every ${unit}` : `Every ${every} ${unit}s`;

function nameAndAddress(person: NonNullable<Invitation['organizer']>): string {
  return person.name === undefined || person.address === undefined
    ? shownName(person)
    : `${person.name} <${person.address}>`;
}
