# What a person does with a checkout. Everything needs only make and Python 3.11 or newer; the rest is installed in .venv.

PROGRAMS := .venv/bin
READY := .venv/.ready
RUNS := .venv/.runs
MADE_FROM := pyproject.toml scripts/set-up.sh hatch_build.py package-lock.json src/trueup/pages/assets/icons.txt

unexport PYTHONDONTWRITEBYTECODE # the tests start the program a hundred times, and would compile it each time

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-faults check docs screenshots bench

help:  ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUNS)  ## Build a sample workspace in ./demo, walk through the main job, and serve it
	@$(PROGRAMS)/trueup demo --fresh --serve

test: $(READY)  ## Run the tests, on SQLite and on PostgreSQL
	@sh scripts/chromium.sh
	@# A quarter of the time they wait for something else than a processor. Threads in each would wait for the others'.
	@POLARS_MAX_THREADS=1 $(PROGRAMS)/pytest -n 3 --dist worksteal

test-long: $(READY)  ## Run the tests that take minutes
	@sh scripts/chromium.sh
	@$(PROGRAMS)/pytest -n 2 -m "long or law" --hypothesis-profile long --timeout 1200 \
		--ignore=tests/faults  # those want the machine for themselves

test-faults: $(READY)  ## Let everything fail under a server that works, and write the table of docs/reliability.md anew
	@$(PROGRAMS)/pytest -m "long or not long" tests/faults --fault-table docs/reliability.md

check: $(READY)  ## Look at style, types and the direction of imports
	@began=$$(date +%s); \
	for tool in "ruff check --no-cache" "ruff format --check --no-cache" mypy lint-imports; do \
		$(PROGRAMS)/$$tool || exit; \
	done; \
	echo "check: 4 tools, $$(find src tests bench -name '*.py' | wc -l) files, $$(($$(date +%s) - began)) s"

docs: $(READY)  ## Write the table of docs/settings.md anew
	@$(PROGRAMS)/python tests/docs/settings_page.py

screenshots: $(READY)  ## Take pictures of every page, from the sample workspace, for docs/screenshots
	@sh scripts/chromium.sh
	@PYTHONPATH=tests $(PROGRAMS)/python tests/pages/screenshots.py

bench: $(READY)  ## Measure speed; BENCH_ARGS="--help" says which sizes there are to choose
	@$(PROGRAMS)/python bench/upload.py $(BENCH_ARGS)
	@$(PROGRAMS)/python bench/batches.py $(BENCH_ARGS)

$(READY): $(MADE_FROM)
	@sh scripts/set-up.sh '.[dev]'
	@touch $(RUNS) $@

$(RUNS): $(MADE_FROM)
	@sh scripts/set-up.sh .
	@touch $@
