// The API's operations, drawn from the two documents that describe them.

const byId = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// A sentence in which `words` between backticks are code.
function sentence(text, className) {
  const made = element("p", undefined, className);
  text.split("`").forEach((part, at) => made.append(at % 2 ? element("code", part) : part));
  return made;
}

const nameOf = (ref) => ref.slice(ref.lastIndexOf("/") + 1);

function resolved(schema, schemas) {
  return schema?.$ref ? schemas[nameOf(schema.$ref)] : schema;
}

function typeText(schema) {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.anyOf) return schema.anyOf.map(typeText).filter((text) => text !== "null").join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" ");
  if (schema.type === "array") return `list of ${typeText(schema.items) || "values"}`;
  return schema.type ?? "any";
}

function fieldRow(name, schema, needed, place) {
  const row = element("tr");
  const named = element("td");
  named.append(element("code", name));
  const about = [place, needed ? "needed" : "", schema.description ?? ""].filter(Boolean).join(", ");
  row.append(named, element("td", typeText(schema)), element("td", about, "quiet"));
  return row;
}

function fieldTable(title, rows) {
  const box = element("div");
  const table = element("table", undefined, "fields");
  const body = element("tbody");
  body.append(...rows);
  table.append(body);
  box.append(element("h3", title), table);
  return box;
}

function propertyRows(schema, schemas) {
  const whole = resolved(schema, schemas);
  const rows = Object.entries(whole?.properties ?? {});
  return rows.map(([name, field]) => fieldRow(name, field, whole.required?.includes(name), ""));
}

function operationBox(path, method, operation, schemas) {
  const box = element("details", undefined, "operation");
  box.id = operation.operationId;
  const summary = element("summary");
  summary.append(
    element("span", method.toUpperCase(), "method"),
    element("code", path),
    element("span", operation.summary),
  );
  if (operation.security.some((one) => one.key)) summary.append(element("span", "signed", "badge"));
  if (operation.security.some((one) => one.admin)) summary.append(element("span", "admin", "badge"));
  box.append(summary, sentence(operation.description, "quiet"));
  const asked = operation.parameters.map((one) =>
    fieldRow(one.name, { ...one.schema, description: one.description }, one.required, one.in),
  );
  const body = operation.requestBody?.content["application/json"].schema;
  asked.push(...propertyRows(body, schemas));
  if (asked.length) box.append(fieldTable("Takes", asked));
  const status = Object.keys(operation.responses)[0];
  const said = operation.responses[status].content["application/json"].schema;
  box.append(fieldTable(`Says (${status}): ${typeText(said)}`, propertyRows(said.items ?? said, schemas)));
  return box;
}

async function start() {
  const [open, streams] = await Promise.all(
    ["/openapi.json", "/asyncapi.json"].map(async (path) => (await fetch(path)).json()),
  );
  byId("about").textContent = open.info.description;
  const schemes = open.components.securitySchemes;
  byId("signing").textContent =
    `Signed requests carry ${schemes.key.name}, ${schemes.timestamp.name} and ${schemes.signature.name}. ` +
    schemes.signature.description;
  const cards = new Map();
  for (const [path, methods] of Object.entries(open.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!cards.has(tag)) {
        const card = element("section", undefined, "card");
        card.append(element("h2", tag));
        cards.set(tag, card);
      }
      cards.get(tag).append(operationBox(path, method, operation, open.components.schemas));
    }
  }
  byId("operations").replaceChildren(...cards.values());
  const pushes = Object.values(streams.channels.ws.messages).filter((one) => isPush(one, streams));
  byId("channels").replaceChildren(
    ...pushes.map((one) => fieldRow(one.name, {}, false, one.summary)),
  );
  document.body.dataset.seq = String(cards.size);
}

function isPush(message, streams) {
  const key = `push.${message.name.replace(/[{}]/g, "")}`;
  return streams.operations[key] !== undefined;
}

start().catch((error) => {
  byId("about").textContent = `The documents could not be read: ${error.message}`;
});
