// Shows /openapi.json. Everything is written as text, nothing as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function resolved(document_, schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { name, ...document_.components.schemas[name] } : (schema ?? {});
}

function typeText(document_, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map((one) => typeText(document_, one)).join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") return `list of ${typeText(document_, schema.items)}`;
  return [schema.type, schema.format].filter(Boolean).join(", ");
}

function fieldsTable(document_, schema, depth = 0) {
  const table = element("table");
  const target = resolved(document_, schema);
  for (const [name, field] of Object.entries(target.properties ?? {})) {
    const row = element("tr");
    const label = element("td");
    label.append(element("code", name + (target.required?.includes(name) ? " *" : "")));
    const about = element("td", [typeText(document_, field), field.description].filter(Boolean).join(" - "));
    const inner = resolved(document_, field.$ref ? field : (field.items ?? {}));
    if (inner.properties && depth < 2) {
      const more = element("details");
      more.append(element("summary", inner.name ?? name));
      const body = element("div");
      body.append(fieldsTable(document_, inner, depth + 1));
      more.append(body);
      about.append(more);
    }
    row.append(label, about);
    table.append(row);
  }
  return table;
}

function parametersTable(document_, parameters) {
  const table = element("table");
  for (const parameter of parameters) {
    const row = element("tr");
    const label = element("td");
    label.append(element("code", parameter.name + (parameter.required ? " *" : "")));
    const about = [parameter.in, typeText(document_, parameter.schema), parameter.description];
    row.append(label, element("td", about.filter(Boolean).join(" - ")));
    table.append(row);
  }
  return table;
}

function operation(document_, path, method, described) {
  const details = element("details");
  details.id = described.operationId ?? "";
  const summary = element("summary");
  summary.append(element("span", method.toUpperCase(), "method"), element("span", path, "path"));
  summary.append(element("span", described.summary ?? "", "about"));
  details.append(summary);
  details.dataset.words = `${method} ${path} ${described.summary} ${(described.tags ?? []).join(" ")}`.toLowerCase();
  // Filled when it is opened: the whole document at once would be thousands of rows.
  details.addEventListener("toggle", () => fill(document_, details, described), { once: true });
  return details;
}

function fill(document_, details, described) {
  const body = element("div");
  for (const paragraph of (described.description ?? "").split(/\n\n+/)) body.append(element("p", paragraph));
  if (described.parameters?.length) {
    body.append(element("h3", "Parameters"), parametersTable(document_, described.parameters));
  }
  const content = described.requestBody?.content?.["application/json"];
  if (content) {
    body.append(element("h3", "Body"));
    for (const example of Object.values(content.examples ?? {})) {
      body.append(element("p", example.summary), element("pre", JSON.stringify(example.value, null, 2)));
    }
    const option = content.schema?.anyOf?.find((one) => one.$ref) ?? content.schema;
    body.append(fieldsTable(document_, option));
  }
  body.append(element("h3", "Answers"));
  for (const [status, answer] of Object.entries(described.responses ?? {})) {
    const schema = answer.content?.["application/json"]?.schema;
    body.append(element("p", `${status}: ${answer.description}`));
    if (schema && status < "300") body.append(fieldsTable(document_, schema));
    const example = Object.values(answer.content ?? {})[0]?.example;
    if (example && status >= "400") body.append(element("pre", JSON.stringify(example, null, 2)));
  }
  details.append(body);
}

function show(document_) {
  const main = document.getElementById("operations");
  document.getElementById("intro").textContent = document_.info.description;
  for (const tag of document_.tags ?? []) {
    main.append(element("h2", tag.name), element("p", tag.description));
    for (const [path, methods] of Object.entries(document_.paths)) {
      for (const method of METHODS) {
        const described = methods[method];
        if (described?.tags?.includes(tag.name)) main.append(operation(document_, path, method, described));
      }
    }
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const details of main.querySelectorAll("details[data-words]")) {
      details.hidden = !words.every((word) => details.dataset.words.includes(word));
    }
  });
}

fetch("/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`))))
  .then(show)
  .catch((error) => {
    document.getElementById("intro").textContent = `The description of the API cannot be read: ${error.message}`;
  });
