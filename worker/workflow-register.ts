/** What Temporal knows about workflows: which are open, and who sent what to them. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Sender, WorkflowRegister } from '../activities/dependencies.ts';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

/** Reads Temporal itself, which knows better than any payload. */
export function createWorkflowRegister(client: Client): WorkflowRegister {
  return {
    async isOpen(workflowId) {
      try {
        const { status } = await client.workflow.getHandle(workflowId).describe();
        return status.name === 'RUNNING' || status.name === 'PAUSED';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async starterOf(workflowId, runId) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      return senderOf(events?.[0]);
    },
    async senderOf(workflowId, runId, { via, name, nth }) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      const sent = (events ?? []).filter((event) => isMessage(event, via, name));
      return senderOf(sent[nth - 1]);
    },
  };
}

function isMessage(
  event: HistoryEvent,
  via: 'signal' | 'update' | 'cancel',
  name: string,
): boolean {
  switch (via) {
    case 'signal':
      return event.workflowExecutionSignaledEventAttributes?.signalName === name;
    case 'update':
      return (
        event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === name
      );
    case 'cancel':
      return Boolean(event.workflowExecutionCancelRequestedEventAttributes);
  }
}

/** The principal is what the server authenticated; the identity is what the client said of itself. */
function senderOf(event: HistoryEvent | undefined): Sender {
  const identity =
    event?.workflowExecutionStartedEventAttributes?.identity ??
    event?.workflowExecutionSignaledEventAttributes?.identity ??
    event?.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.meta?.identity ??
    event?.workflowExecutionCancelRequestedEventAttributes?.identity;
  const principal = event?.principal?.name;
  return { identity: identity || null, principal: principal || null };
}
