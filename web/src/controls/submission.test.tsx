import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { ApiProblem } from "../api/problem";
import { Field } from "./field";
import { Problem } from "./problem";
import { useSubmission } from "./submission";

const page = document.createElement("div");

function rejected(code: string): ApiProblem {
  return new ApiProblem(400, code, "'email' must be an e-mail address.", "r-1", null, {});
}

function TestForm({ action }: { action(): Promise<void> }) {
  const form = useSubmission(["email"], action);
  return (
    <form onSubmit={form.onSubmit}>
      <Field label="E-mail" name="email" wrong={form.wrong("email")} />
      <Problem problem={form.problem} />
      <button disabled={form.busy}>Send</button>
    </form>
  );
}

async function submit(action: () => Promise<void>): Promise<void> {
  render(<TestForm action={action} />, page);
  await act(async () => {
    page.querySelector("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  });
}

beforeEach(() => {
  render(null, page);
  document.body.replaceChildren(page);
});

describe("a form", () => {
  it("says beside the field what is wrong with it, and gives it the focus", async () => {
    await submit(() => Promise.reject(rejected("invalid_email")));
    const input = page.querySelector("input")!;
    expect(input.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(input);
    expect(page.querySelector(".wrong")!.textContent).toBe("'email' must be an e-mail address.");
    expect(page.querySelector(".notice")).toBeNull();
  });

  it("says everything else once, for the whole form", async () => {
    await submit(() => Promise.reject(rejected("invalid_login")));
    expect(page.querySelector("input")!.hasAttribute("aria-invalid")).toBe(false);
    expect(page.querySelector(".notice")!.textContent).toContain("must be an e-mail address");
  });

  it("is sent once, however often it is submitted while it is being sent", async () => {
    let sent = 0;
    let answer = (): void => undefined;
    const action = () => ((sent += 1), new Promise<void>((resolve) => (answer = resolve)));
    await submit(action);
    expect(page.querySelector("button")!.disabled).toBe(true);
    await submit(action);
    expect(sent).toBe(1);
    await act(async () => answer());
    expect(page.querySelector("button")!.disabled).toBe(false);
  });
});
