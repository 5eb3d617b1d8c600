#!/usr/bin/python3
"""The scribe with real alert programs and servers: what happens reaches people, whatever fails."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import BUILD, free_port, run, until  # noqa: E402


def email(port, to="ops@example.org", more=""):
	return '{ plugin = "email"; to = ( "%s" ); server = "127.0.0.1:%d"; %s }' % (to, port, more)


def unwrapped(mail):
	"""Its text, wherever its lines end."""
	return " ".join(mail.get_content().split())


def sms(port, more=""):
	return '{ plugin = "sms"; to = ( "+15550100" ); url = "http://127.0.0.1:%d/?n={to}&t={text}"; ' \
	       'severity = "critical"; %s }' % (port, more)


def a_failover_of_ten_groups_is_one_mail(bed):
	server = bed.smtp()
	scribe = bed.scribe(email(server.port))
	for number in range(10):
		scribe.takeover("group%d" % number)
	mail = server.until(1)[0]
	scribe.until_empty()
	time.sleep(1.5)
	assert len(server.mails) == 1, server.mails
	text = unwrapped(mail)
	assert "group0, group1, group2, group3, group4, group5, group6, group7, group8 and group9" in text
	assert mail["Subject"].startswith("[hbd shop] CRITICAL: lb2 is offline, lb1 is primary now for")
	assert scribe.taken() == 10
	assert scribe.finish() == "ended 0"


def lost_and_restored_are_both_told(bed):
	server = bed.smtp()
	scribe = bed.scribe(email(server.port))
	scribe.tell("alert peer-lost critical peer-silent -")
	server.until(1)
	scribe.tell("back peer-back info none -")
	server.until(2)
	assert "There is no standby until lb2 is repaired." in unwrapped(server.mails[0])
	assert "Redundancy is restored." in unwrapped(server.mails[1])


def a_severity_chooses_who_is_told(bed):
	server, gateway = bed.smtp(), bed.http()
	scribe = bed.scribe(email(server.port) + "," + sms(gateway.port))
	scribe.tell("back link-lost warning none - eth1")
	server.until(1)
	scribe.until_empty()
	assert gateway.requests == []
	scribe.tell("alert takeover critical peer-silent web")
	server.until(2)
	gateway.until(1)
	scribe.tell("back takeover info peer-resigned web")
	scribe.tell("test")
	server.until(3)
	gateway.until(2)
	scribe.until_empty()
	assert len(server.mails) == 3 and len(gateway.requests) == 2
	assert "TEST" in server.mails[2]["Subject"], server.mails[2]["Subject"]


def a_dead_mail_server_holds_back_no_text_message(bed):
	port, gateway = free_port(), bed.http()
	scribe = bed.scribe(email(port) + "," + sms(gateway.port))
	scribe.takeover()
	gateway.until(1)
	scribe.until_said("email:ops@example.org: exit status 75")
	assert len(scribe.spooled()) == 1
	server = bed.smtp(port=port)
	server.until(1, 30)
	scribe.until_empty()
	time.sleep(1)
	assert len(gateway.requests) == 1, "who has got it does not get it again"
	assert len(server.mails) == 1


def state_says_what_is_pending_and_why(bed):
	scribe = bed.scribe(email(free_port()))
	scribe.takeover()
	until(lambda: "state 1 1 email:ops@example.org: exit status 75: ops@example.org: Failed to "
	      "connect" in "\n".join(scribe.states), 10, lambda: scribe.states)


def what_a_killed_scribe_had_not_sent_its_successor_sends(bed):
	port = free_port()
	scribe = bed.scribe(email(port))
	scribe.takeover("before")
	scribe.until_said("exit status 75")
	scribe.tell("pause")
	until(lambda: "ended by signal 9" in scribe.states, 10, lambda: scribe.states)
	scribe.takeover("while-dead")
	server = bed.smtp(port=port)
	scribe.tell("resume")
	mail = server.until(1)[0]
	scribe.until_empty()
	assert "before and while-dead" in mail.get_content(), mail.get_content()


def kill_nine_in_the_middle_of_a_delivery_loses_nothing(bed):
	server = bed.smtp()
	ready = os.path.join(bed.path, "started")
	bed.file("plugins/alert/slow", "#!/bin/sh\ntouch %s.$$; sleep 2; exec %s/plugins/alert/email "
		 "\"$@\"\n" % (ready, bed.path), 0o755)
	os.chmod(bed.path, 0o1777)
	scribe = bed.scribe(email(server.port).replace('"email"', '"slow"'))
	scribe.takeover()
	until(lambda: [name for name in os.listdir(bed.path) if name.startswith("started.")], 10,
	      "the delivery began")
	scribe.tell("kill")
	server.until(1)
	scribe.until_empty()
	time.sleep(2.5)
	assert len(server.mails) == 1, "the killed delivery went on"


def many_kills_at_any_moment_lose_nothing(bed):
	server = bed.smtp()
	scribe = bed.scribe(email(server.port))
	for number in range(30):
		scribe.tell("alert address-restored warning none g%d" % number)
		time.sleep(0.013)
		if number % 3 == 2:
			scribe.tell("kill")
	server.until(1)
	scribe.until_empty(40)
	told = "\n".join(mail.get_content() for mail in server.mails)
	for number in range(30):
		assert "g%d " % number in told or "g%d," % number in told, "g%d is lost" % number


def stop_tries_once_more_and_keeps_the_rest(bed):
	port = free_port()
	scribe = bed.scribe(email(port))
	scribe.takeover()
	scribe.until_said("next try in 10 s")
	server = bed.smtp(port=port)
	scribe.tell("alert released info stop web")
	begin = time.monotonic()
	assert scribe.finish("end") == "ended 0"
	assert time.monotonic() - begin < 4.5
	assert len(server.mails) == 1 and not scribe.spooled(), scribe.log


def stop_does_not_wait_for_a_server_that_hangs(bed):
	import socket
	hung = socket.socket()
	hung.bind(("127.0.0.1", 0))
	hung.listen(5)
	scribe = bed.scribe(email(hung.getsockname()[1]))
	scribe.takeover()
	until(lambda: scribe.spooled(), 5, "it is in the spool")
	begin = time.monotonic()
	assert scribe.finish() == "ended 0"
	assert 1 < time.monotonic() - begin < 6
	assert len(scribe.spooled()) == 1
	hung.close()


def a_damaged_file_is_set_aside_and_said(bed):
	server = bed.smtp()
	spool = os.path.join(bed.path, "state", "spool")
	os.makedirs(spool)
	for name, text in (("0000000000000000001-0000000000000001.alert", "garbage\n"),
			   ("0000000000000000002-0000000000000002.alert", '{"spool": 1}\n'),
			   ("0000000000000000003-0000000000000003.alert", ""),
			   ("0000000000000000004-0000000000000004.alert.writing", "half")):
		bed.file("state/spool/" + name, text, 0o666)
	for path in (os.path.join(bed.path, "state"), spool):
		os.chmod(path, 0o777)
	scribe = bed.scribe(email(server.port))
	scribe.takeover()
	server.until(1)
	scribe.until_empty()
	assert len(scribe.said("is damaged, an alert may be lost: set aside")) == 3, scribe.log
	assert len([name for name in os.listdir(spool) if name.endswith(".damaged")]) == 3
	assert not [name for name in os.listdir(spool) if name.endswith(".writing")]


def a_full_disk_is_said_and_the_alert_still_sent(bed):
	if os.getuid() != 0:
		return "needs root for a mount namespace"
	port = free_port()
	state = os.path.join(bed.path, "state")
	os.mkdir(state)
	full = bed.file("full", "#!/bin/sh\nset -e\nmount -t tmpfs -o size=64k,mode=1777 hbd-test %s\n"
			"dd if=/dev/zero of=%s/fill bs=4k 2>/dev/null || true\nexec \"$@\"\n"
			% (state, state), 0o755)
	scribe = bed.scribe(email(port), before=("unshare", "-m", full))
	scribe.takeover()
	scribe.until_said("No space left on device")
	scribe.until_said("alert: lb1 took over web because lb2 fell silent")
	scribe.until_said("exit status 75")
	server = bed.smtp(port=port)
	mail = server.until(1, 30)[0]
	assert "lb2 is offline" in mail.get_content()
	until(lambda: scribe.pending() == 0, 10, "nothing is pending")


def room_on_the_disk_makes_what_is_in_memory_durable(bed):
	if os.getuid() != 0:
		return "needs root for a mount namespace"
	state = os.path.join(bed.path, "state")
	os.mkdir(state)
	full = bed.file("full", "#!/bin/sh\nset -e\nmount -t tmpfs -o size=64k,mode=1777 hbd-test %s\n"
			"dd if=/dev/zero of=%s/fill bs=4k 2>/dev/null || true\n"
			"(sleep 4; rm %s/fill; sleep 16; ls %s/spool >%s/listed) &\nexec \"$@\"\n"
			% (state, state, state, state, bed.path), 0o755)
	scribe = bed.scribe(email(free_port()), before=("unshare", "-m", full))
	scribe.takeover()
	scribe.until_said("No space left on device")
	listed = until(lambda: os.path.exists(bed.path + "/listed") and
		       open(bed.path + "/listed").read(), 40, "the directory was listed")
	assert ".alert" in listed, listed


def a_state_directory_that_cannot_be_used_stops_no_alert(bed):
	server = bed.smtp()
	bed.file("blocked", "not a directory")
	scribe = bed.scribe(email(server.port), state="blocked")
	scribe.takeover()
	server.until(1)
	scribe.until_said("alerts are only in memory")


def a_plugin_that_is_missing_or_unsafe_is_said_and_tried_again(bed):
	server = bed.smtp()
	scribe = bed.scribe(email(server.port).replace('"email"', '"pager"') + ',' +
			    email(server.port, "dev@example.org").replace('"email"', '"loose"'))
	bed.file("plugins/alert/loose", "#!/bin/sh\nexit 0\n", 0o777)
	scribe.takeover()
	scribe.until_said("pager:ops@example.org: cannot be started: there is no alert/pager in")
	scribe.until_said("chmod go-w it")
	os.symlink("email", bed.path + "/plugins/alert/pager")
	server.until(1, 30)
	assert len(scribe.spooled()) == 1


def one_bad_recipient_holds_back_nobody_else(bed):
	server = bed.smtp(answers={"gone@example.org": "550 5.1.1 no such user"})
	scribe = bed.scribe('{ plugin = "email"; to = ( "a@example.org", "gone@example.org", '
			    '"b@example.org" ); server = "127.0.0.1:%d"; }' % server.port)
	scribe.takeover()
	server.until(2)
	scribe.until_said("550 5.1.1 no such user")
	scribe.until_said("next try in 10 s")
	assert sorted(server.recipients) == [["a@example.org"], ["b@example.org"]], server.recipients


def records_that_make_no_sense_change_nothing(bed):
	server = bed.smtp()
	scribe = bed.scribe(email(server.port))
	scribe.tell("nonsense")
	scribe.tell("log \x1b[31mred\x07 text")
	scribe.takeover()
	server.until(1)
	scribe.until_empty()
	assert scribe.taken() == 1
	assert sum(int(line.split("scribe: ")[1].split()[0]) for line in
		   scribe.said("make no sense, dropped")) == 5, scribe.log
	assert scribe.said("hbd: ?[31mred? text"), scribe.log


def it_runs_as_an_ordinary_user_with_an_ordinary_priority(bed):
	if os.getuid() != 0:
		return "needs root"
	bed.file("plugins/alert/who", "#!/bin/sh\nid -un; ulimit -r; sed -n '/^Cap\\(Eff\\|Prm\\)/p' "
		 "/proc/$PPID/status; chrt -p $PPID; ls /proc/$PPID/fd | wc -l\n", 0o755)
	scribe = bed.scribe('{ plugin = "who"; }', before=("chrt", "-r", "5"))
	scribe.takeover()
	scribe.until_said("SCHED_")
	scribe.until_empty()
	text = "\n".join(scribe.said("alert/who: "))
	assert "who: nobody" in text and "CapEff: 0000000000000000" in text.replace("\t", " "), text
	assert "SCHED_OTHER" in text, text


def an_alert_that_nobody_wants_is_only_logged(bed):
	scribe = bed.scribe('{ plugin = "sms"; severity = "critical"; to = "+1"; handover = "gammu"; }')
	scribe.tell("alert link-lost warning none - eth1")
	scribe.until_said("alert: lb1 and lb2 hear each other on other links, but no longer on eth1.")
	until(lambda: scribe.taken() == 1, 5, lambda: scribe.states)
	assert scribe.pending() == 0 and not scribe.spooled()


run([value for name, value in list(globals().items())
     if callable(value) and getattr(value, "__module__", "") == "__main__" and
     name not in ("email", "sms", "unwrapped")])
