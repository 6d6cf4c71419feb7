import { labelSecrets } from "../api/known-secrets";
import type { Labels } from "../api/labels";
import type { Account, Connection } from "./connection";
import { type Attempt, explainFailure } from "./failure";

/** What is attempted; the account in use is found out on the way. */
interface Purpose extends Omit<Attempt, "account"> {
  /** Sets of labels of the resource. Their values may be secret, so no error repeats what AGB says of them. */
  readonly labels: readonly (Labels | undefined)[];
}

/**
 * Does something with the configured account.
 *
 * @throws ResourceError that tells the user what failed, with which account, and what to do
 */
export function attemptWithAccount<Result>(
  connection: Connection,
  purpose: Purpose,
  work: (account: Account) => Promise<Result>,
): Promise<Result> {
  return explained(purpose, work, async (use) => use(connection.account()));
}

/**
 * Does something with the configured account, or with the environment's key when AGB refuses the configured one, see
 * `Connection.useEitherKey`.
 *
 * @throws ResourceError that tells the user what failed, with which account, and what to do
 */
export function attemptWithEitherKey<Result>(
  connection: Connection,
  purpose: Purpose,
  work: (account: Account) => Promise<Result>,
): Promise<Result> {
  return explained(purpose, work, (use) => connection.useEitherKey(use));
}

async function explained<Result>(
  purpose: Purpose,
  work: (account: Account) => Promise<Result>,
  choose: (use: (account: Account) => Promise<Result>) => Promise<Result>,
): Promise<Result> {
  let used: Account | undefined;
  try {
    return await choose((account) => {
      used = account;
      return work({
        ...account,
        client: account.client.hiding(purpose.labels.flatMap((labels) => labelSecrets(labels ?? {}))),
      });
    });
  } catch (error) {
    throw explainFailure(error, { ...purpose, account: used });
  }
}
