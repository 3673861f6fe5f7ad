# Two commands matter: `make demo` and `make test`. Both set up what they need.

GO ?= go
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo development)
ECHARTS := templates/vendor/echarts.min.js
# What the tests need: a browser, an office and Chinese type to look at pages and workbooks, and the
# databases that towns have, and the clients that statisticians have (psql comes with postgresql). The tests start
# databases of their own and leave the installed ones alone.
PACKAGES := chromium libreoffice-calc fonts-noto-cjk poppler-utils postgresql mariadb-server \
	python3-psycopg r-cran-rpostgresql libpostgresql-jdbc-java default-jdk-headless

.PHONY: demo test bench soak picture pictures build static setup clean

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

# One file that needs nothing of the system that it runs on: old glibc systems
# (Kylin V10, UOS V20) are the reason. It is tried in a root file system that
# holds nothing but itself and /tmp. The linker's warnings on dlopen, getpwuid
# and getaddrinfo are the engine's; tongbao loads no extension and resolves
# names in Go. Only amd64: docs/operations.md says why.
STATIC := bin/tongbao-linux-amd64
static: $(ECHARTS)
	CGO_ENABLED=1 $(GO) build -trimpath -tags netgo,osusergo \
		-ldflags '-s -w -X main.version=$(VERSION) -linkmode external -extldflags "-static"' -o $(STATIC) ./cmd/tongbao
	@if ldd $(STATIC) 2>/dev/null; then echo "$(STATIC) is not static"; exit 1; fi
	@if [ "$$(id -u)" != 0 ]; then echo "not tried in a bare root: only root may"; exit 0; fi; \
	root=$$(mktemp -d) && mkdir $$root/tmp && cp $(STATIC) $$root/tongbao && \
	chroot $$root /tongbao init --demo --months 3 --grids 16 /tmp/town && \
	chroot $$root /tongbao run -w /tmp/town --month 2026-10 && \
	test -s $$root/tmp/town/data/published/2026-10/v1/manifest.json; status=$$?; rm -rf $$root; exit $$status

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
		else echo "missing:$$missing — the tests that need them will fail and say so"; fi; fi

# axe-core looks at the page's accessibility in the tests.
AXE := node_modules/axe-core/axe.min.js
$(AXE): package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	touch $@

# The demo town is run once for all packages that look at it. Most tests of
# the command wait for processes and browsers, so more of them than there are
# cores go on at a time.
test: setup build $(AXE)
	$(GO) vet ./...
	rm -rf bin/demo
	bin/tongbao init --demo bin/demo
	bin/tongbao run -w bin/demo --month 2026-10 > bin/log.txt 2>&1 || { cat bin/log.txt; exit 1; }
	TONGBAO_DEMO=$(CURDIR)/bin/demo $(GO) test -timeout 1500s -parallel 4 $(TESTFLAGS) ./...

bench: setup build
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 3h -v ./pipeline/ ./etl/ ./reports/
	BENCH_SECONDS=120 $(GO) test -run '^$$' -bench BenchmarkPortal -benchtime 1x -timeout 60m ./cmd/tongbao/

# The same tests, longer: 600 kills, 24 months, 10,000 runs; and before them every
# fuzz target in turn, an hour in all. What is found lies under testdata/fuzz
# of its package: fix it and keep the file, make test runs it from then on.
FUZZ ?= 3600
SOAKED := TestKilledServing|TestReplay|TestGrowth|TestDiskFull|TestDiskFillsUp
soak: build
	@targets=$$(for room in etl warehouse web/pgwire; do $(GO) test -list '^Fuzz' ./$$room/ | sed -n "s|^Fuzz|$$room/Fuzz|p"; done); \
	each=$$(( $(FUZZ) / $$(echo $$targets | wc -w) )); \
	for target in $$targets; do \
		echo "$$target for $$each s"; \
		$(GO) test ./$${target%/*}/ -run '^$$' -fuzz "^$${target##*/}\$$" -fuzztime $${each}s -fuzzminimizetime 20x -parallel 1 || exit 1; \
	done
	SOAK=1 $(GO) test -run TestStatementsInChild -timeout 1h -v ./warehouse/
	SOAK=1 $(GO) test -run TestHostile -timeout 3h -v ./web/pgwire/
	test -d bin/demo || { bin/tongbao init --demo bin/demo && bin/tongbao run -w bin/demo --month 2026-10; }
	SOAK=1 TONGBAO_DEMO=$(CURDIR)/bin/demo $(GO) test -run TestHostileDoors -timeout 1h -v ./web/
	SOAK=1 $(GO) test -run TestTwoYears -timeout 2h -v ./pipeline/
	SOAK=1 $(GO) test -run '$(SOAKED)' -timeout 6h -v ./cmd/tongbao/

# The picture of the README: the first printed page of the demo town's leaders.
picture: demo
	page=$$(ls demo/data/published/2026-10/v1/*领导版.html) && dir=$$(mktemp -d) && \
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --user-data-dir=$$dir --no-pdf-header-footer --print-to-pdf=$$dir/page.pdf file://$(CURDIR)/$$page && \
	pdftoppm -r 110 -f 1 -l 1 -x 110 -y 150 -W 720 -H 950 -png -singlefile $$dir/page.pdf docs/bulletin; status=$$?; rm -rf $$dir; exit $$status

# The pictures of docs/portal.md and docs/sql.md: pages of the demo town's portal, as the tests see them.
pictures: demo $(AXE)
	dir=$$(mktemp -d) && TONGBAO_DEMO=$(CURDIR)/demo TONGBAO_ARTEFACTS=$$dir $(GO) test ./cmd/tongbao -run "TestPortalPages|TestPortalSQL" -count 1 && \
	cp $$dir/portal-leader--1366.png docs/portal-home.png && cp $$dir/portal-unit-unit-$(PICTURED)-390.png docs/portal-phone.png && \
	cp $$dir/portal-auditor-audit-1366.png docs/portal-audit.png && \
	cp $$dir/portal-sql-answer-1366.png docs/sql-answer.png; \
	status=$$?; rm -rf $$dir; exit $$status
PICTURED := 329118110201

clean:
	rm -rf bin demo node_modules templates/vendor
