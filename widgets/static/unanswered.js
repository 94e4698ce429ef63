// What a person set in a form and Python hasn't answered yet. A form that is drawn anew meanwhile, by the answer to an
// earlier message, shows this and not the older state: else a slider would jump back under the next key press.

function makeUnanswered(model, draw) {
  const client = Math.random().toString(36).slice(2);
  const held = new Map();  // by the control's key: the last value sent, and the ticket of that message
  let number = 0;
  const receive = (content) => {
    if (!content || content.type !== "done") return;
    for (const [key, { ticket }] of held) if (ticket === content.ticket) { held.delete(key); draw(); }
  };
  model.on("msg:custom", receive);
  return {
    // Send a message that sets the control `key` to `value`.
    send: (key, value, content) => {
      const ticket = `${client}:${number++}`;
      held.set(key, { ticket, value });
      model.send({ ...content, ticket });
    },
    // What the control shows: `value` of the state, unless a later one is under way.
    shown: (key, value) => (held.has(key) ? held.get(key).value : value),
    holds: (key) => held.has(key),
    // Places have changed, so that a key may be another control's.
    forget: () => held.clear(),
    close: () => model.off("msg:custom", receive),
  };
}
