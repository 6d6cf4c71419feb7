import type { Account, Connection } from "./connection";
import { type Attempt, explainFailure } from "./failure";

/** What is attempted; the account in use is found out on the way. */
type Purpose = Omit<Attempt, "account">;

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
      return work(account);
    });
  } catch (error) {
    throw explainFailure(error, { ...purpose, account: used });
  }
}
