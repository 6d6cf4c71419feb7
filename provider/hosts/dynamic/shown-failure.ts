import { type Properties, type ResourceError, UnfinishedError } from "../../kinds/hosted-kind";

/**
 * A failure as Pulumi's dynamic-provider process shows it. The process prints a thrown error as a string and its stack, with
 * a colon in between. With the three optional fields, a resource whose create or update failed stays in the state, marked as
 * not initialized, and the next `up` updates it. Of such a failure Pulumi shows only the reasons.
 */
export class ShownFailure extends Error {
  readonly id?: string;
  readonly properties?: Properties;
  readonly reasons?: readonly string[];

  /** @param added properties that the kind does not know and the state must keep */
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
      this.reasons = [failure.details];
    }
  }

  override toString(): string {
    return this.failure.headline;
  }
}
