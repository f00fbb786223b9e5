/** Reads payloads of any encoding: one that nobody can read becomes undefined instead of stopping the job for ever. */
import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/**
 * The Temporal UI lets people send a signal as `json/protobuf`, which the default converter cannot read: it throws,
 * and the workflow task fails for ever. What cannot be read is no decision, and is recorded as one that says nothing.
 */
class TolerantPayloadConverter implements PayloadConverter {
  toPayload<T>(value: T): Payload {
    return defaultPayloadConverter.toPayload(value) as Payload;
  }

  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch {
      return undefined as T;
    }
  }
}

export const payloadConverter = new TolerantPayloadConverter();
