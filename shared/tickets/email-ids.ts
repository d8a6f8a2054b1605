/** ID in the outbox of a ticket's acknowledgement: there is at most one. */
export const ACKNOWLEDGEMENT_ID = 'ack';
