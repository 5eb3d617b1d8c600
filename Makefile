# hbd: one file, no configure step. `make help` lists the targets.

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0

# Yours to set.
CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
# bpftool is where only root looks for programs.
BPFTOOL    ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
CFLAGS     ?= -O2 -g
LDFLAGS    ?=
DESTDIR    ?=
PREFIX     ?= /usr
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
DOCDIR     ?= $(DATADIR)/doc/hbd
UNITDIR    ?= $(LIBDIR)/systemd/system
COMPLETIONDIR ?= $(DATADIR)/bash-completion/completions
VARIANT    ?= release
FUZZ_SECONDS ?= 8
# 0 = without the fence in the kernel: needs neither libbpf nor clang.
FENCE      ?= 1
V          ?= 0

B := build/$(VARIANT)
O := $(B)/obj
Q := $(if $(filter 1,$(V)),,@)
quiet := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(filter 1,$(V)),,@$(if $(quiet),,printf '  %-7s %s\n' '$(1)' '$(2)';))

# ---- flags: CFLAGS and LDFLAGS are the user's, OWN_ ones are ours ------------------------------

PACKAGES := libnl-3.0 libnl-route-3.0 libconfig libsystemd libsodium libcap-ng jansson \
	$(if $(filter-out 0,$(FENCE)),libbpf)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wundef -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough

OWN_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DHBD_VERSION='"$(VERSION)"' $(WARNINGS) $(PKG_CFLAGS)
OWN_LDFLAGS := -Wl,--as-needed

ifeq ($(VARIANT),release)
# Older compilers lack some of these. All at once first: the usual case costs one short run.
accepted = $(shell printf '' | $(CC) -Werror $(1) -x c -S - -o /dev/null 2>/dev/null && echo '$(1)')
WANTED := -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero \
	-fstrict-flex-arrays=3
PROBED := $(or $(call accepted,$(WANTED)),$(foreach flag,$(WANTED),$(call accepted,$(flag))))
OWN_CFLAGS += -fstack-protector-strong -fPIE $(PROBED) \
	$(if $(findstring -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
OWN_LDFLAGS += -pie -Wl,-z,relro,-z,now,-z,noexecstack
else ifeq ($(VARIANT),debug)
OWN_CFLAGS += -Werror -O0 -g3
else ifeq ($(VARIANT),asan)
OWN_CFLAGS += -Werror -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
OWN_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
OWN_CFLAGS += -Werror -O1 -g -fsanitize=thread
OWN_LDFLAGS += -fsanitize=thread
else ifeq ($(VARIANT),cover)
OWN_CFLAGS += -O0 -g --coverage
OWN_LDFLAGS += --coverage
else ifeq ($(VARIANT),fuzz)
CC := $(CLANG)
OWN_CFLAGS += -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OWN_LDFLAGS += -fsanitize=address,undefined
else
$(error VARIANT is one of release debug asan tsan cover fuzz, not '$(VARIANT)')
endif

# ---- what is built -----------------------------------------------------------------------------

# Everything but the programs' main files goes into one archive.
MAINS := hbd/main.c hbd/control/hbctl.c hbd/flight/hbd_replay.c
LIB := $(B)/libhbd.a
# What runs in the kernel is no part of them; with or without, one of two stands for it.
BPF_SOURCES := $(wildcard hbd/io/*.bpf.c)
NOT_BPF := $(patsubst %,hbd/io/%$(if $(filter-out 0,$(FENCE)),_absent).c,fence_program drain)
LIB_SOURCES := $(filter-out $(MAINS) $(BPF_SOURCES) $(NOT_BPF),$(wildcard hbd/*.c hbd/*/*.c))
CORE_OBJECTS := $(patsubst %.c,$(O)/%.o,$(wildcard hbd/core/*.c))
PROGRAMS := $(if $(wildcard hbd/main.c),$(B)/hbd) $(if $(wildcard hbd/control/hbctl.c),$(B)/hbctl) \
	$(B)/hbd-replay

# A plugin is one C file or one script, plugins/KIND/NAME[.c]; code that several share is in
# plugins/lib/. All end up in build/VARIANT/plugins/KIND/, where hbd can run them from the tree.
PLUGIN_SOURCES := $(filter-out plugins/lib/%,$(wildcard plugins/*/*.c))
PLUGIN_SCRIPTS := $(filter-out plugins/lib/% %.c %.h %.md %.7 %.8,$(wildcard plugins/*/*))
PLUGIN_LIB := $(if $(wildcard plugins/lib/*.c),$(B)/plugins/libplugin.a)
COMPILED_PLUGINS := $(PLUGIN_SOURCES:%.c=$(B)/%)
COPIED_PLUGINS := $(PLUGIN_SCRIPTS:%=$(B)/%)

# A suite is a folder of tests/: each test_*.c becomes a program, linked with the folder's other C
# files and with tests/lib/; each test_*.sh and test_*.py is run as it is, from the top of the
# tree, with BUILD=build/VARIANT in the environment. Exit 0 is passed, 77 skipped.
SUITES := unit golden sim net alert witness
TEST_LIB := $(if $(wildcard tests/lib/*.c),$(B)/tests/libtest.a)
# tests/tools/NAME.c: programs that tests and the demo call; tests/preload/NAME.c: what they put before
# the C library.
TOOL_PROGRAMS := $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c))
PRELOADS := $(patsubst %.c,$(B)/%.so,$(wildcard tests/preload/*.c))
# And a program of the next version of the protocol, which is the same but for its number.
NEXT := $(B)/tests/next/hbd
TOOLS := $(TOOL_PROGRAMS) $(PRELOADS) $(NEXT)
BENCHES := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: $(PROGRAMS) $(COMPILED_PLUGINS) $(COPIED_PLUGINS) ## build programs and plugins (VARIANT=release debug asan tsan cover fuzz)

# Stamps: rewritten only when their text changes, so that what depends on them is built again.
.PHONY: FORCE
FORCE:
stamp = @mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@

$(B)/flags: FORCE
	@$(PKG_CONFIG) --exists $(PACKAGES) || { $(PKG_CONFIG) --print-errors --exists $(PACKAGES); \
		echo 'libraries are missing; as root: packaging/install-deps build'; exit 1; } >&2
	$(call stamp,$(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS))

# What knows the places of installation is built again when they change, and nothing else.
PLACES := -DHBD_PLUGIN_DIR='"$(LIBDIR)/hbd/plugins"' -DHBD_CONF_DIR='"$(SYSCONFDIR)/hbd"'
PLACED_OBJECTS := $(O)/hbd/main.o $(O)/hbd/io/plugin_find.o
$(B)/places: FORCE
	$(call stamp,$(PLACES))
$(PLACED_OBJECTS): $(B)/places
$(PLACED_OBJECTS): private OWN_CFLAGS += $(PLACES)

$(O)/%.o: %.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS) $(OWN_CFLAGS) -MMD -MP -c $< -o $@

# Programs of the fence and of the drain: compiled for the kernel, then made headers that hold them.
MULTIARCH = $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_FLAGS = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror \
	$(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH))
$(B)/bpf/flags: FORCE
	$(call stamp,$(CLANG) $(BPF_FLAGS) $(BPFTOOL))
$(B)/bpf/%.o: hbd/io/%.bpf.c $(B)/bpf/flags
	$(call say,BPF,$<)$(CLANG) $(BPF_FLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@ || { \
		echo 'make FENCE=0 builds without the fence and the drain, which clang compiles'; exit 1; } >&2
$(B)/bpf/%.skel.h: $(B)/bpf/%.o
	$(Q)$(BPFTOOL) gen object $(@D)/$*.linked.o $<
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $(@D)/$*.linked.o name $*_bpf > $@
.PRECIOUS: $(B)/bpf/%.o $(B)/bpf/%.skel.h
$(O)/hbd/io/fence_program.o: $(B)/bpf/fence.skel.h
$(O)/hbd/io/drain.o: $(B)/bpf/drain.skel.h
$(O)/hbd/io/fence_program.o $(O)/hbd/io/drain.o: private OWN_CFLAGS += -isystem $(B)/bpf

# $(1) archive, $(2) its sources
define archive
$(1): $$(patsubst %.c,$$(O)/%.o,$(2)) $(1).list
	$$(Q)mkdir -p $$(@D)
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$(filter %.o,$$^)
$(1).list: FORCE
	$$(call stamp,$(2))
endef
$(eval $(call archive,$(LIB),$(LIB_SOURCES)))
$(if $(PLUGIN_LIB),$(eval $(call archive,$(PLUGIN_LIB),$(wildcard plugins/lib/*.c))))
$(if $(TEST_LIB),$(eval $(call archive,$(TEST_LIB),$(wildcard tests/lib/*.c))))

# $(1) libraries
define link
$(Q)mkdir -p $(@D) && rm -rf $@
$(call say,LD,$@)$(CC) $(CFLAGS) $(OWN_CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) $^ $(1) -o $@
endef

$(B)/hbd: $(O)/hbd/main.o $(LIB)
	$(call link,$(PKG_LIBS))

$(B)/hbctl: $(O)/hbd/control/hbctl.o $(LIB)
	$(call link,$(PKG_LIBS))

$(B)/hbd-replay: $(O)/hbd/flight/hbd_replay.o $(LIB)
	$(call link,$(PKG_LIBS))

$(COMPILED_PLUGINS): $(B)/%: $(O)/%.o $(PLUGIN_LIB) $(LIB)
	$(call link,$(PKG_LIBS) -lcurl)

$(COPIED_PLUGINS): $(B)/%: %
	$(call say,COPY,$<)install -D -m 755 $< $@

$(TOOL_PROGRAMS) $(BENCHES): $(B)/%: $(O)/%.o $(TEST_LIB) $(LIB)
	$(call link,$(PKG_LIBS))

$(O)/tests/next/node_config.o: hbd/conf/node_config.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS) $(OWN_CFLAGS) -DHBD_VERSION_MAX=2 -MMD -MP -c $< -o $@
$(NEXT): $(O)/hbd/main.o $(O)/tests/next/node_config.o $(LIB)
	$(call link,$(PKG_LIBS))

$(PRELOADS): $(B)/%.so: %.c $(B)/flags
	$(Q)mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Werror -fPIC -shared $< -o $@

# ---- tests -------------------------------------------------------------------------------------

# Where test programs and scripts find what was built, and how they are run one after another.
RUN_SUITE = BUILD=$(B) VARIANT=$(VARIANT) tests/lib/run-suite
ASAN_OPTIONS ?= detect_stack_use_after_return=1
LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/lib/leaks.supp:print_suppressions=0
UBSAN_OPTIONS ?= print_stacktrace=1
TSAN_OPTIONS ?= halt_on_error=1
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

# $(1) suite
define suite
$(1)_PROGRAMS := $$(patsubst %.c,$$(B)/%,$$(wildcard tests/$(1)/test_*.c))
$(1)_SCRIPTS := $$(wildcard tests/$(1)/test_*.sh tests/$(1)/test_*.py)
$(1)_HELPERS := $$(filter-out tests/$(1)/test_%.c,$$(wildcard tests/$(1)/*.c))
$(1)_LIB := $$(if $$($(1)_HELPERS),$$(B)/tests/lib$(1).a)
$$(if $$($(1)_LIB),$$(eval $$(call archive,$$($(1)_LIB),$$($(1)_HELPERS))))
$$($(1)_PROGRAMS): $$(B)/%: $$(O)/%.o $$($(1)_LIB) $$(TEST_LIB) $$(LIB)
	$$(call link,-lcmocka $$(PKG_LIBS) -lm)
TEST_PROGRAMS += $$($(1)_PROGRAMS)
.PHONY: $(1)
$(1): all $$(TOOLS) $$($(1)_PROGRAMS)
	@$$(RUN_SUITE) $(1) $$($(1)_PROGRAMS) $$($(1)_SCRIPTS)
endef
$(foreach name,$(SUITES),$(eval $(call suite,$(name))))

unit: ## unit tests (cmocka)
golden: ## text transcripts and configuration errors against what was reviewed
.PHONY: golden-update
golden-update: ## write those transcripts anew: review the difference before it is committed
	@UPDATE=1 $(MAKE) --no-print-directory golden
sim: ## the real core under a virtual clock and network, seeded
net: ## daemons in network namespaces
alert: ## alert plugins against real servers on loopback
witness: ## the etcd plugin against real etcd servers on loopback

.PHONY: mutants
mutants: ## put mistakes into the protocol, one by one: each must be noticed (SEEDS=600, a quarter of an hour)
	@SEEDS=$(or $(SEEDS),600) tests/mutants/run

.PHONY: pair-long
PAIR_LONG := fence witness cuts lan
pair-long: all $(TOOLS) ## what pairs must survive, REPEAT=20 times, at PROFILES (as root; hours)
	@set -e; for test in $(PAIR_LONG); do REPEAT=$(or $(REPEAT),20) \
		MUTE_SECONDS=60 CUT_SECONDS=10 STORM_SECONDS=60 BUILD=$(B) \
		tests/net/test_pair_$$test.sh; done

.PHONY: net-unit
net-unit: $(net_PROGRAMS) ## only the compiled ones of them, each in a network namespace of its own
	@$(RUN_SUITE) net $(net_PROGRAMS)

# Each in a target of its own, so that make -j runs some at once: they mostly wait.
NET_RUNS := $(net_PROGRAMS:%=run-%) $(net_SCRIPTS:%=run-%)
.PHONY: net-beside $(NET_RUNS)
net-beside: $(NET_RUNS) ## all of net, side by side with make -j
$(NET_RUNS): run-%: % all $(TOOLS)
	@$(RUN_SUITE) net $<

# Once, not for every variant: models, what is installed, and how it lives under systemd.
RELEASE_SUITES := model packaging system
.PHONY: $(RELEASE_SUITES)
# all of the work of one test, and no real time in it: a busy machine may take several times as long
model: export TEST_SECONDS ?= 900
model: ## models of the lease and of the witness, checked exhaustively (spin)
packaging: ## installation, unit file and Debian package
system: ## two machines with a real systemd (nspawn): install, start, kill, watch
$(RELEASE_SUITES): all $(TOOLS)
	@$(RUN_SUITE) $@ $(wildcard tests/$@/test_*.sh tests/$@/test_*.py)

.PHONY: tests
tests: all $(TOOLS) $(TEST_PROGRAMS) ## build all tests, run none

.PHONY: pure
pure: $(CORE_OBJECTS) ## the core's objects call nothing but memory, strings and the keyed hash
	@CC='$(CC)' $(RUN_SUITE) pure 'tests/lib/check-pure $(CORE_OBJECTS)'

.PHONY: layers
layers: ## each room includes only what hbd/README.md allows; lengths; no default: over enums
	@CLANG='$(CLANG)' PKG_CFLAGS='$(PKG_CFLAGS)' $(RUN_SUITE) layers tests/lib/check-layers \
		tests/lib/check-lengths tests/lib/check-switches

.PHONY: selftest
selftest: ## the checks above and the runner of tests fail when they should
	@CC='$(CC)' CLANG='$(CLANG)' $(RUN_SUITE) selftest $(wildcard tests/lib/test-*)

# 100 000 hours of a pair's life: about 3 1/4 simulated hours at lan, ten times as many at wan, a tenth
# at fast, for each of 10 000 seeds.
SIM_SEEDS ?= 10000
SIM_FIRST ?= 1
SIM_HOURS ?= 3.2
SIM_CHUNK := 20
.PHONY: sim-long
sim-long: $(sim_PROGRAMS) ## SIM_SEEDS=10000 seeds from SIM_FIRST=1 on, SIM_HOURS=3.2 hours of lan each; all long sequences
	@$(B)/tests/sim/test_sequences -l 4 && $(B)/tests/sim/test_sequences -l 4 -w
	@mkdir -p $(B)/logs && seq $(SIM_FIRST) $(SIM_CHUNK) $$(($(SIM_FIRST) + $(SIM_SEEDS) - 1)) | \
	xargs -P $(JOBS) -I{} $(B)/tests/sim/test_seeds -f {} -n $(SIM_CHUNK) -h $(SIM_HOURS) -s \
		> $(B)/logs/sim-long.log; status=$$?; grep '^not ok' $(B)/logs/sim-long.log; \
	awk '/simulated seconds/ { hours += $$2 / 3600 } \
		END { printf "%d pair-hours of simulated time\n", hours }' $(B)/logs/sim-long.log; \
	exit $$status

# Variants of the same suites.
.PHONY: asan tsan cover
asan: ## all suites with address and undefined-behavior sanitizers
	@$(MAKE) --no-print-directory -k VARIANT=asan $(SUITES)
tsan: ## unit tests and simulation with the thread sanitizer
	@$(MAKE) --no-print-directory -k VARIANT=tsan unit sim
cover: ## lines and branches of hbd/core that unit tests and a short simulation run, at least 95 %
	@$(MAKE) --no-print-directory -k VARIANT=cover run-cover

# What leaves core aside runs for long and adds nothing here. The long simulation must not be needed
# either: a rule that only a rare storm comes across is written down as a story.
COVER_PERCENT := 95
cover_UNIT := $(patsubst tests/%.c,$(B)/tests/%,$(shell grep -l hbd/core/ $(wildcard tests/unit/test_*.c)))
STORMS := %/test_seeds %/test_sequences
cover_PARTS := cover-unit cover-stories cover-storms
.PHONY: run-cover cover-begin $(cover_PARTS)
cover-begin: $(cover_UNIT) $(sim_PROGRAMS)
	@find $(B) -name '*.gcda' -delete
cover-unit: cover-begin
	@$(RUN_SUITE) unit $(cover_UNIT)
cover-stories: cover-begin
	@$(RUN_SUITE) sim $(filter-out $(STORMS),$(sim_PROGRAMS))
cover-storms: cover-begin
	@$(RUN_SUITE) sim '$(B)/tests/sim/test_seeds -n 200' '$(B)/tests/sim/test_sequences -l 3'
run-cover: $(cover_PARTS)
	@$(RUN_SUITE) cover 'tests/lib/check-coverage $(B) hbd/core $(COVER_PERCENT)' && \
		cat $(B)/logs/cover/check-coverage.log

.PHONY: soak soak-loss soak-both soak-busy
soak: soak-loss soak-both soak-busy ## all soaks, SOAK_SECONDS=600 each
soak-loss: all $(TOOLS) ## fast, 30 % loss on one of two links: no change of role
	@BUILD=$(B) tests/soak/run loss
soak-both: all $(TOOLS) ## fast, 10 % loss on both links: no change of role
	@BUILD=$(B) tests/soak/run both
soak-busy: all $(TOOLS) ## lan, every processor busy: no change of role
	@BUILD=$(B) tests/soak/run busy

.PHONY: fuzz run-fuzz
fuzz: ## libFuzzer, FUZZ_SECONDS=8 for each of tests/fuzz/fuzz_*.c (clang)
	@$(MAKE) --no-print-directory VARIANT=fuzz run-fuzz

fuzz_HELPERS := $(filter-out tests/fuzz/fuzz_%.c,$(wildcard tests/fuzz/*.c))
fuzz_LIB := $(if $(fuzz_HELPERS),$(B)/tests/libfuzz.a)
$(if $(fuzz_LIB),$(eval $(call archive,$(fuzz_LIB),$(fuzz_HELPERS))))
$(FUZZERS): $(B)/%: $(O)/%.o $(fuzz_LIB) $(sim_LIB) $(TEST_LIB) $(LIB)
	$(call link,$(PKG_LIBS) -fsanitize=fuzzer)
fuzzers: $(FUZZERS)
FUZZ_RUNS := $(FUZZERS:%=run-%)
.PHONY: fuzzers $(FUZZ_RUNS)
run-fuzz: $(FUZZ_RUNS)
$(FUZZ_RUNS): run-%: %
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(RUN_SUITE) fuzz 'tests/lib/run-fuzz $*'

# Everything, on a fresh machine. A failing step does not hide the ones after it; the last line
# counts them all. What looks at real time runs apart from what keeps the processors busy.
STEADY_SUITES := $(filter-out net,$(SUITES))
RESULTS := build/results
JOBS ?= $(shell nproc)
.PHONY: check ci
check ci: ## everything that CI runs; installs what is missing (as root)
	@packaging/install-deps test system package
	@mkdir -p build; : > $(RESULTS); status=0; export RESULTS=$(RESULTS); \
	step() { echo "== make $$*"; $(MAKE) --no-print-directory "$$@" || status=1; }; \
	step -j$(JOBS) VARIANT=release tests; \
	step -j$(JOBS) VARIANT=asan tests; \
	step -j$(JOBS) VARIANT=fuzz fuzzers; \
	step -j$(JOBS) -Otarget -k VARIANT=release selftest pure layers format-check $(STEADY_SUITES) model packaging; \
	step -j2 -Otarget -k VARIANT=release net-beside; \
	step -k VARIANT=release system; \
	step -j$(JOBS) -Otarget -k VARIANT=asan $(STEADY_SUITES); \
	step -j2 -Otarget -k VARIANT=asan net-beside; \
	step -j$(JOBS) -Otarget -k fuzz; \
	step -j$(JOBS) -Otarget cover; \
	tests/lib/run-suite --total $(RESULTS) && exit $$status

# ---- style -------------------------------------------------------------------------------------

C_FILES = $(wildcard hbd/*.[ch] hbd/*/*.[ch] plugins/*/*.[ch] tests/*/*.[ch])
.PHONY: format format-check tidy
format: ## clang-format all C files; look at what it does to tables before you commit it
	clang-format -i $(C_FILES)
format-check: ## tabs, 100 columns, braces and blanks
	@$(RUN_SUITE) format-check 'tests/lib/check-format $(C_FILES)'
tidy: ## clang-tidy with the checks of .clang-tidy
	clang-tidy --quiet $(filter-out $(BPF_SOURCES),$(filter %.c,$(C_FILES))) -- $(filter-out -f%,$(OWN_CFLAGS)) -Ihbd

# ---- installation ------------------------------------------------------------------------------

MAN5 := $(wildcard hbd/*.5 hbd/*/*.5)
MAN7 := $(wildcard hbd/*.7 hbd/*/*.7 plugins/*.7 plugins/*/*.7)
MAN8 := $(wildcard hbd/*.8 hbd/*/*.8 plugins/*.8 plugins/*/*.8)
DOCS := $(wildcard README.md LICENSE plugins/README.md)
INSTALL := install
# The unit names programs by their installed place.
PLACED = sed -e 's:/usr/sbin/:$(SBINDIR)/:g' -e 's:/usr/lib/hbd/:$(LIBDIR)/hbd/:g'

.PHONY: install uninstall
install: all ## install under DESTDIR; an existing configuration stays
	$(INSTALL) -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SYSCONFDIR)/hbd $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 755 $(PROGRAMS) $(DESTDIR)$(SBINDIR)
	@set -e; for plugin in $(COMPILED_PLUGINS:$(B)/plugins/%=%) $(COPIED_PLUGINS:$(B)/plugins/%=%); do \
		$(INSTALL) -D -m 755 $(B)/plugins/$$plugin $(DESTDIR)$(LIBDIR)/hbd/plugins/$$plugin; done
	$(PLACED) packaging/systemd/hbd.service > $(DESTDIR)$(UNITDIR)/hbd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/hbd.service
	$(INSTALL) -D -m 644 packaging/systemd/sysusers.conf $(DESTDIR)$(LIBDIR)/sysusers.d/hbd.conf
	$(INSTALL) -D -m 644 packaging/systemd/tmpfiles.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/hbd.conf
	@set -e; for program in hbd hbctl hbd-replay; do \
		$(INSTALL) -D -m 644 packaging/completion/$$program $(DESTDIR)$(COMPLETIONDIR)/$$program; done
	@set -e; for page in $(MAN5) $(MAN7) $(MAN8); do \
		$(INSTALL) -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	@set -e; for doc in $(DOCS); do \
		$(INSTALL) -D -m 644 $$doc $(DESTDIR)$(DOCDIR)/$$doc; done
	@set -e; for example in $(wildcard etc/hbd.conf etc/examples/* packaging/systemd/hardening.conf); do \
		$(INSTALL) -D -m 644 $$example $(DESTDIR)$(DOCDIR)/examples/$${example##*/}; done
	$(if $(wildcard etc/hbd.conf),$(INSTALL) -m 644 etc/hbd.conf $(DESTDIR)$(SYSCONFDIR)/hbd/hbd.conf.example)
	$(if $(DESTDIR),,@echo 'next: systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload')

uninstall: ## remove what install put there; configuration, keys and state stay
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,hbd hbctl hbd-replay) $(DESTDIR)$(UNITDIR)/hbd.service \
		$(DESTDIR)$(LIBDIR)/sysusers.d/hbd.conf $(DESTDIR)$(LIBDIR)/tmpfiles.d/hbd.conf \
		$(addprefix $(DESTDIR)$(COMPLETIONDIR)/,hbd hbctl hbd-replay) $(DESTDIR)$(SYSCONFDIR)/hbd/hbd.conf.example \
		$(foreach page,$(MAN5) $(MAN7) $(MAN8),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	rm -rf $(DESTDIR)$(LIBDIR)/hbd $(DESTDIR)$(DOCDIR)
	-@rmdir $(DESTDIR)$(SYSCONFDIR)/hbd 2>/dev/null

.PHONY: deb rpm
# $(1) folder to which the sources are copied
copy_sources = rm -rf $(1) && mkdir -p $(1) && tar -c --exclude=./build --exclude=./.git . | tar -x -C $(1)
deb: ## the Debian package, in build/deb/
	$(Q)rm -rf build/deb && $(call copy_sources,build/deb/hbd-$(VERSION))
	$(Q)cp -r packaging/debian build/deb/hbd-$(VERSION)/debian
	cd build/deb/hbd-$(VERSION) && dpkg-buildpackage -us -uc -b
rpm: ## the RPM package, in build/rpm/
	$(Q)rm -rf build/rpm && $(call copy_sources,build/rpm/hbd-$(VERSION)) && mkdir build/rpm/SOURCES
	$(Q)tar -cz -C build/rpm -f build/rpm/SOURCES/hbd-$(VERSION).tar.gz hbd-$(VERSION)
	rpmbuild -bb --define '_topdir $(CURDIR)/build/rpm' $(if $(wildcard /etc/debian_version),--nodeps) \
		packaging/rpm/hbd.spec

# ---- to look at --------------------------------------------------------------------------------

.PHONY: demo bench
demo: ## two nodes, a switch and a client in namespaces: pull the plug and watch
	@packaging/install-deps demo
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(TOOLS)
	@BUILD=$(B) tests/demo/run
bench: ## hbd beside keepalived in the same namespaces; writes build/bench.json
	@packaging/install-deps bench
	@$(MAKE) --no-print-directory -s -j$(JOBS) all $(TOOLS)
	@BUILD=$(B) tests/bench/run

.PHONY: bench-fence
bench-fence: $(B)/tests/bench/fence_cost ## what the fence costs each frame and each renewal (as root)
	@$<

.PHONY: bench-stage bench-switchover
bench-stage: all $(TOOLS) ## 1000 IPv4 and 1000 IPv6 addresses move, staged and not (as root)
	@BUILD=$(B) VARIANT=$(VARIANT) tests/bench/stage
bench-switchover: all $(TOOLS) ## SWITCHOVERS=100 planned moves under load, hbd beside keepalived (as root)
	@packaging/install-deps bench
	@BUILD=$(B) VARIANT=$(VARIANT) tests/bench/switchover

.PHONY: bench-flight
bench-flight: $(B)/tests/bench/flight_cost ## what the flight recorder costs, and how far back it reaches
	@$<

.PHONY: clean
clean: ## remove everything that was built
	rm -rf --one-file-system build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/; s/ ci\t/\t/' | expand -t 16

-include $(shell find $(B) -name '*.d' 2>/dev/null)
