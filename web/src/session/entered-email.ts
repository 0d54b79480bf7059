/** The address that was entered last, so that no page of the sign-up asks for it again; for this visit only. */
let entered = "";

export function rememberEmail(email: string): void {
  entered = email;
}

export function rememberedEmail(): string {
  return entered;
}
