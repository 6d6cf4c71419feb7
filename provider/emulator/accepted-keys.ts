/** Which API keys are accepted. */
export class AcceptedKeys {
  #keys: ReadonlySet<string> | undefined;

  /** @param keys undefined to accept every key */
  set(keys: readonly string[] | undefined): void {
    this.#keys = keys && new Set(keys);
  }

  /** Whether only some keys are accepted. */
  get areRequired(): boolean {
    return this.#keys !== undefined;
  }

  has(key: string): boolean {
    return this.#keys?.has(key) ?? true;
  }
}
