/** What the activities need from the worker that runs them. */
import type { Configuration, ConfigurationSource } from '../config/configuration.ts';
import type { Store } from '../store/database.ts';

/** Reads configurations; the worker knows where they are and what the environment holds. */
export interface Configurations {
  /** Reads the file as it is now; the worker's own without a path. */
  read(file?: string): Promise<{ configuration: Configuration; source: ConfigurationSource }>;
  /** Validates one that was kept with a job. */
  parse(source: ConfigurationSource): Configuration;
}

/** Who sent a message to a workflow, as Temporal's history has it. */
export interface Sender {
  readonly identity: string | null;
  readonly principal: string | null;
}

/** What Temporal knows about workflows. */
export interface WorkflowRegister {
  isOpen(workflowId: string): Promise<boolean>;
  /** Who started a workflow. */
  starterOf(workflowId: string, runId: string): Promise<Sender>;
  /** The sender of the n-th signal or accepted update of a name (counted from 1), or of the cancellation. */
  senderOf(
    workflowId: string,
    runId: string,
    message: { via: 'signal' | 'update' | 'cancel'; name: string; nth: number },
  ): Promise<Sender>;
}

/** A logger; values of identity data must never be given to it. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ActivityDependencies {
  readonly store: Store;
  readonly configurations: Configurations;
  readonly workflows: WorkflowRegister;
  /** Directory of the extractions. */
  readonly extractions: string;
  readonly log: Log;
}
