import { render } from "preact";
import "@preact/signals";
import { App } from "./app/app";
import { applyTheme } from "./app/theme";
import { resumeSession } from "./session/session";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";

applyTheme();
void resumeSession();
render(<App />, document.getElementById("page")!);
