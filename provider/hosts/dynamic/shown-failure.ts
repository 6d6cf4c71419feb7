import { type Properties, type ResourceError, UnfinishedError } from "../../kinds/hosted-kind";

/**
 * A failure in the form that Pulumi's dynamic-provider process shows. The process prints a thrown error as a string and its
 * stack, with a colon in between. When a create or update fails with the three optional fields, the resource stays in the
 * state as initialised badly, and the next `up` updates it. Pulumi shows only the reasons of such a failure.
 */
export class ShownFailure extends Error {
  readonly id?: string;
  readonly properties?: Properties;
  readonly reasons?: readonly string[];

  /** @param added properties that the kind does not know but the state must hold */
  constructor(
    private readonly failure: ResourceError,
    added: Properties,
  ) {
    super(failure.message, { cause: failure.cause });
    this.name = "ResourceError";
    this.stack = failure.details;
    if (failure instanceof UnfinishedError) {
      this.id = failure.id;
      this.properties = { ...failure.properties, ...added };
      this.reasons = failure.reasons;
    }
  }

  override toString(): string {
    return this.failure.headline;
  }
}
