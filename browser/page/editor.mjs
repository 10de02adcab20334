// The editor of a cell. Loaded when a reader first presses Edit.

import { python } from "@codemirror/lang-python";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { minimalSetup } from "codemirror";

// The colours of the page.
const colours = HighlightStyle.define(
  [
    [[tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], "keyword"],
    [[tags.string, tags.special(tags.string)], "string"],
    [[tags.number, tags.bool, tags.null], "number"],
    [[tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.className], "function"],
    [[tags.comment], "comment"],
  ].map(([tag, name]) => ({ tag, color: `var(--md-code-hl-${name}-color)` })),
);

/** Put an editor with the text at the top of a block of code, in the place of the text, and the focus into it. */
export function edit(block, text, { changed, run, leave }) {
  const pre = block.querySelector("pre");
  const keys = [
    { key: "Shift-Enter", run: () => (run(), true) },
    { key: "Escape", run: () => (leave(), true) },
  ];
  const view = new EditorView({
    doc: text.replace(/\n$/, ""),
    extensions: [
      Prec.highest(keymap.of(keys)),
      minimalSetup,
      python(),
      indentUnit.of("    "),
      syntaxHighlighting(colours),
      EditorView.contentAttributes.of({ "aria-label": "The code of this cell" }),
      EditorView.updateListener.of(({ docChanged, state }) => docChanged && changed(`${state.doc}\n`)),
    ],
  });
  pre.after(view.dom); // run.css hides the text above it
  view.focus();
  return { remove: () => view.destroy() };
}
