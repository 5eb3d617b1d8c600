#!/usr/bin/python3
"""Models of the lease, the witness, the planned move and the restart, checked exhaustively by spin: what must hold holds, and each
mistake that is put in by a -D is found. One line for each variant; table.md has them all."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", "build/release")
if not shutil.which("spin"):
	print("there is no spin: packaging/install-deps test")
	sys.exit(77)

HOLDS, FOUND = "holds", "is found"
SHORT = " LH=2 LG=3 SUSPECT=1 LP=3 LONG=4 ALONE=5"	# ticks: enough to tell all terms apart
VARIANTS = [
	# model, what, definitions, expected
	("lease", "two nodes and a witness that keeps time", "LH=2 LG=2 CRASHES=0", HOLDS),
	("lease", "one of them crashes and is silent for Lg", "LH=2 LG=2 CRASHES=1", HOLDS),
	("lease", "clocks drift, and Lg allows for it", "LH=2 LG=4 CRASHES=0 DRIFT", HOLDS),
	("lease", "it resigns, by a word that names the ballot", "LH=2 LG=2 CRASHES=0 RELEASES=1", HOLDS),
	("lease", "no restart silence", "LH=2 LG=2 CRASHES=1 Q=0", FOUND),
	("lease", "restart silence one tick too short", "LH=2 LG=2 CRASHES=1 Q=1", FOUND),
	("lease", "counted from the receipt of the grant", "LH=2 LG=2 CRASHES=0 BUGRECEIPT", FOUND),
	("lease", "Lg without drift", "LH=2 LG=2 CRASHES=0 DRIFT", FOUND),
	("lease", "Lg with too little drift", "LH=2 LG=3 CRASHES=0 DRIFT", FOUND),
	("lease", "a resignation that names no ballot", "LH=2 LG=2 CRASHES=0 RELEASES=2 BUGREL", FOUND),
	("witness", "a node may crash, swaps may be lost or late", "CRASHES=1 SWAPS=2", HOLDS),
	("witness", "the same, begun with the witness's vote", "CRASHES=1 SWAPS=1 LW=3 WAIT=3 HELD", HOLDS),
	("witness", "the register loses what both have seen", "CRASHES=0 SWAPS=2 LOSSES=1", HOLDS),
	("witness", "the second node can own", "CRASHES=0 SWAPS=1 NEVER_OWNS", FOUND),
	("witness", "it can own by the witness's vote", "CRASHES=0 SWAPS=1 NEVER_VOTED", FOUND),
	("witness", "the peer's vote counted from its receipt", "CRASHES=0 SWAPS=2 BUG_RECEIPT", FOUND),
	("witness", "the vote counted from the answer", "CRASHES=0 SWAPS=2 BUG_ANSWER", FOUND),
	("witness", "the other's vote taken without waiting", "CRASHES=0 SWAPS=2 BUG_NO_WAIT", FOUND),
	("witness", "the wait one tick too short", "CRASHES=0 SWAPS=2 WAIT=1", FOUND),
	("witness", "a swap while the own vote is promised", "CRASHES=0 SWAPS=2 BUG_PROMISED", FOUND),
	("witness", "an unknown swap counted as done", "CRASHES=0 SWAPS=2 BUG_UNKNOWN", FOUND),
	("witness", "a write that does not compare", "CRASHES=0 SWAPS=2 BUG_BLIND", FOUND),
	("witness", "the vote freed before it is let go", "CRASHES=0 SWAPS=2 LW=3 WAIT=3 HELD BUG_FREE_LATE", FOUND),
	("witness", "an owner that extends its lease by itself", "CRASHES=0 SWAPS=2 BUG_SELF", FOUND),
	("witness", "a late word taken for a fresh vote", "CRASHES=1 SWAPS=2 BUG_LATE_WORD", FOUND),
	("witness", "an old word taken for a fresh one", "CRASHES=0 SWAPS=1 BUG_OLD_WORD", FOUND),
	("witness", "no restart silence", "CRASHES=1 SWAPS=2 Q=0", FOUND),
	("witness", "a register that lost its memory is believed",
	 "CRASHES=0 SWAPS=2 LOSSES=1 BUG_LOST_MEMORY", FOUND),
	("witness", "a revision that is used again taken for the same record",
	 "CRASHES=0 SWAPS=3 LOSSES=1 BUG_REVISION", FOUND),
	("witness", "clocks drift, and the terms allow for it", "CRASHES=0 SWAPS=1 DRIFT LG=4 WAIT=4", HOLDS),
	("witness", "clocks drift, and the terms do not allow for it", "CRASHES=0 SWAPS=1 DRIFT", FOUND),
	("handover", "moves at any time, words twice or late: clients never see nobody", "QUIET_LAN MOVES=3 STRAGGLERS", HOLDS),
	("handover", "words lost or late, and moved back", "MOVES=2", HOLDS),
	("handover", "a node crashes at any step, and it ends", "CRASHES=1 ENDS", HOLDS),
	("handover", "a node has a fault at any step, and it ends", "FAULTS=1 ENDS", HOLDS),
	("handover", "with a witness, words late without bound", "WITNESS", HOLDS),
	("handover", "it can be moved", "NEVER_MOVED", FOUND),
	("handover", "it can be taken back", "FAULTS=1 NEVER_TAKEN_BACK", FOUND),
	("handover", "the lease kept at the commit", "BUG_KEEP_LEASE", FOUND),
	("handover", "let go before the peer is ready", "BUG_NOT_READY", FOUND),
	("handover", "ready for an earlier offer taken for ready", "MOVES=2 BUG_OLD_READY", FOUND),
	("handover", "an old word taken for a new one", "QUIET_LAN MOVES=2 STRAGGLERS BUG_OLD_WORD", FOUND),
	("handover", "taken back before the peer knows", "BUG_TAKE_BACK", FOUND),
	("handover", "claimed beside a peer that does not know the role", "BUG_UNKNOWN_ROLE", FOUND),
	("handover", "an offer that is never given up", "ENDS BUG_NO_END", FOUND),
	("restart", "pauses at any time on a quiet LAN: the same node serves all the while", "QUIET_LAN PAUSES=3", HOLDS),
	("restart", "words lost or late around a pause, and it ends", "PAUSES=1 ENDS" + SHORT, HOLDS),
	("restart", "a process dies at any step, and it ends", "CRASHES=1 PAUSES=0 ENDS" + SHORT, HOLDS),
	("restart", "a process can pause", "NEVER_PAUSED" + SHORT, FOUND),
	("restart", "who does not come back is succeeded", "NEVER_TAKEN" + SHORT, FOUND),
	("restart", "a pause that is told anew with every word", "BUG_SELF_COVER" + SHORT, FOUND),
	("restart", "a long lease promised for a short time", "BUG_PROMISE", FOUND),
	("restart", "a lease that is over gone on with", "BUG_RESUME_OVER" + SHORT, FOUND),
	("restart", "the former process's role taken for known", "BUG_OLD_ROLE" + SHORT, FOUND),
	("restart", "the last will said before the lease is gone", "CRASHES=1 BUG_WILL_FIRST" + SHORT, FOUND),
]


def command(*arguments, cwd, limit=900):
	return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, timeout=limit)


def check(folder, model, definitions, expected):
	"""(verdict, states)"""
	# what is soon found, or has much to compile, is not worth a fast program
	speed = "-O2" if expected == HOLDS and model not in ("handover", "restart") else "-O0"
	shutil.copy(os.path.join(HERE, model + ".pml"), folder + "/model.pml")
	flags = ["-D" + each for each in definitions.split()]
	made = command("spin", *flags, "-a", "model.pml", cwd=folder)
	if made.returncode != 0:
		raise RuntimeError(made.stdout + made.stderr)
	built = command("cc", speed, "-w", "-DCOLLAPSE", "-DVECTORSZ=2048", "-DMEMLIM=2000",
			"-DSAFETY", "-o", "pan", "pan.c", cwd=folder)
	if built.returncode != 0:
		raise RuntimeError(built.stderr)
	output = command("./pan", "-E", "-m4000000", cwd=folder).stdout
	errors = re.search(r"errors: (\d+)", output)
	states = re.search(r"(\d[\d.e+]*) states, stored", output)
	# a search that was cut short (depth, memory) shows a mistake, but never that there is none
	if not errors or (errors.group(1) == "0" and "Search not completed" in output):
		raise RuntimeError("not checked to the end: " + " ".join(output.split())[:300])
	return FOUND if int(errors.group(1)) else HOLDS, states.group(1)


def run(variant):
	"""(good, the line that says so, the row of the table)"""
	model, what, definitions, expected = variant
	begun = time.monotonic()
	with tempfile.TemporaryDirectory(prefix="hbd-model-") as folder:
		try:
			verdict, states = check(folder, model, definitions, expected)
		except (RuntimeError, subprocess.TimeoutExpired) as error:
			verdict, states = "cannot be checked: %s" % error, "?"
	good = verdict == expected
	return (good, "%s %s: %s %s (%s states, %.0f s)" % ("ok" if good else "not ok", model, what, verdict, states,
							   time.monotonic() - begun),
		"| %s | %s | `%s` | %s | %s |" % (model, what, definitions, verdict, states))


def main():
	wanted = [each for each in VARIANTS if not sys.argv[1:] or any(word in each[2] for word in sys.argv[1:])]
	good = True
	table = ["| model | variant | flags | | states |", "|---|---|---|---|---|"]
	with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
		for well, line, row in pool.map(run, wanted):
			print(line, flush=True)
			table.append(row)
			good = good and well
	os.makedirs(BUILD + "/tests/model", exist_ok=True)
	with open(BUILD + "/tests/model/table.md", "w") as file:
		file.write("\n".join(table) + "\n")
	sys.exit(0 if good else 1)


main()
