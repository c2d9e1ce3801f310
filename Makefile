# Each target is one command; `make` alone says what there is.
SWIFT_FLAGS ?=
BENCH_FLAGS ?=

.PHONY: help bench demo docs test test-compose test-debian13 sanitize sim lint
help:
	@echo "make demo      watch two contenders, and nodes that die and come back (installs what is missing)"
	@echo "make test      run all tests, on real servers (installs what is missing)"
	@echo "make test-compose  run tests on the containers of docker-compose.yml (needs a Docker engine)"
	@echo "make test-debian13 build and run the tests with real servers in Debian 13, on Redis and on Valkey"
	@echo "make bench     measure the library beside the bare wire, in one run"
	@echo "make sanitize  run all tests under the thread sanitizer, then the address sanitizer"
	@echo "make sim       the simulator: all scenarios, all mutants, determinism, 10,000 seeds"
	@echo "make docs      the pages of the API; fails on a public symbol without documentation"
	@echo "make lint      check the format"

demo:
	@.ci/needs
	@swift build --product redlock-demo $(SWIFT_FLAGS)
	@"$$(swift build --show-bin-path)/redlock-demo"

bench:
	@.ci/needs
	swift build -c release --static-swift-stdlib --product redlock
	@"$$(swift build -c release --show-bin-path)/redlock" bench --local $(BENCH_FLAGS)

test:
	@.ci/needs
	@.ci/test $(SWIFT_FLAGS)

test-compose:
	@.ci/needs
	@SWIFT_FLAGS="$(SWIFT_FLAGS)" .ci/compose

# Prints one line and fails with 75 where no chroot can be made: it needs root, debootstrap and a source of packages.
test-debian13:
	@SWIFT_FLAGS="$(SWIFT_FLAGS)" .ci/debian13 redis valkey

sanitize:
	@.ci/needs
	@.ci/test --sanitize=thread --scratch-path .build/thread
	@ASAN_OPTIONS=detect_leaks=0 .ci/test --sanitize=address --scratch-path .build/address

lint:
	swift format lint --strict --recursive Package.swift Sources Simulation Tests

sim:
	@.ci/needs
	swift build -c release --static-swift-stdlib --product redlock-sim
	@sim="$$(swift build -c release --show-bin-path)/redlock-sim"; set -e; \
	"$$sim" scenario run --all; "$$sim" mutants; "$$sim" determinism --seeds 500; "$$sim" sweep --seeds 10000; \
	"$$sim" sweep --profile fencing --first 72000000 --seeds 10000

docs:
	@.ci/needs
	@.ci/docs
