# Two commands matter: `make demo` and `make test`. Both set up what they need.

GO ?= go
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo development)
ECHARTS := templates/vendor/echarts.min.js
# What looks at pages and workbooks in the tests: a browser, an office, Chinese type.
PACKAGES := chromium libreoffice-calc fonts-noto-cjk poppler-utils

.PHONY: demo test bench soak build setup fuzz clean

build: bin/tongbao

bin/tongbao: $(ECHARTS) FORCE
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $@ ./cmd/tongbao

FORCE:

$(ECHARTS): package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	mkdir -p $(@D)
	cp node_modules/echarts/dist/echarts.min.js $@
	cp node_modules/echarts/LICENSE node_modules/echarts/NOTICE $(@D)/
	touch $@

# The made-up town, from its deliveries to the published bulletin.
demo: build
	rm -rf demo
	bin/tongbao init --demo demo
	bin/tongbao run -w demo --month 2026-10
	@echo "open the page and the workbook named above"

# Installs only what is missing, and only where that is possible.
setup:
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
		else echo "missing:$$missing — the tests that need them will say so"; fi; fi

test: setup build
	$(GO) vet ./...
	$(GO) test -timeout 540s $(TESTFLAGS) ./...

bench: build
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./pipeline/

# The same tests, longer: 600 kills, 24 months, 10,000 runs.
SOAKED := TestKilledServing|TestReplay|TestGrowth|TestDiskFull
soak:
	SOAK=1 $(GO) test -run TestTwoYears -timeout 2h -v ./pipeline/
	SOAK=1 $(GO) test -run '$(SOAKED)' -timeout 6h -v ./cmd/tongbao/

clean:
	rm -rf bin demo node_modules templates/vendor
