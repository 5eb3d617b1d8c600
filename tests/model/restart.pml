/*
 * Another process goes on (hbd/core/PROTOCOL.md 6.6): a node tells that it will be silent and for how long at
 * most, waits until its peer has taken that in and its lease lasts for so long, and ends; what it knew
 * goes to the next process, which comes soon, late, or never. Either node does so, both at once too. Any
 * process may die at any other step as well: its guardian then takes the lease away and says so, or dies
 * along, and the lease runs out by itself; or it stops, and says good-bye.
 *
 * Without a witness. A pause must be safe by time alone; of who died without a word the LAN tells whether it
 * answers still. Of two that run none is silent to the other for LG: no pair without a witness survives
 * that. Words may be lost, late by a tick, or overtaken; of each node's one is on the way, a later one takes its
 * place. Whether the peer knows of the present role, or of the pause, is kept by marks on the words, which a
 * new one wipes off.
 *
 * LH is a granted lease, LG a promise, LP a pause, LONG a lease beside a peer that is not heard, ALONE how long
 * who has heard nobody claims nothing, and SUSPECT after how long an owner counts on itself, in ticks. CRASHES
 * and PAUSES bound the run. QUIET_LAN: nothing but pauses, from which processes come back in time, and then the
 * same node serves all the while. ENDS: from any state on, one of the two serves CALM ticks after all words
 * arrive. BUG_... are mistakes that must be found; BUG_OLD_GRANTS and BUG_NEWEST are with PAUSES=2 only, after a
 * minute or more.
 */
#ifndef LH
#define LH 3
#endif
#ifndef LG
#define LG 4
#endif
#ifndef SUSPECT
#define SUSPECT 2
#endif
#ifndef LP
#define LP 5
#endif
#ifndef LONG
#define LONG 6
#endif
#ifndef ALONE
#define ALONE 7
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef PAUSES
#define PAUSES 1
#endif
#ifndef CALM
#define CALM 16
#endif
#define PATIENCE 2	/* what cannot be told within that is given up */

#define NONE 0		/* a role: not known */
#define QUIET 1
#define SECONDARY 2
#define OWNER 3
#define GONE 4		/* in a word: it stopped, or its guardian says that it died */

#define DOWN 0		/* a process */
#define RUNS 1
#define PAUSED 2	/* ended, and left what it knew */

byte life[2], role[2];
byte granted[2];		/* its lease, left; it runs out whoever lives */
byte promised[2];		/* to the peer, left */
byte quiet[2];			/* restart silence, left */
byte heard[2];			/* until the peer counts as silent */
byte hold[2];			/* no claim on silence before */
byte own_term[2], own_age[2];	/* of its newest word: what that asked for, and since when; */
byte run_age[2];		/* and since when all of them asked for that */
bool knows_role[2], knows_pause[2];	/* it has taken in the peer's present one */

/* a pause */
bool holds[2], told[2];		/* it wants one; and said so with nothing under way */
byte told_age[2], wait[2], paused[2];
bool woken[2];			/* it has heard nothing since it goes on */
bool process[2];		/* toggles: grants of what a former one asked for count no more */

/* the peer's newest word, as taken in */
byte said_role[2], said_term[2], said_age[2];
bool said_role_known[2], said_pause_known[2], said_process[2], peer_owned[2];

/* a word on the way; index: who said it */
bool word[2];
byte word_role[2], word_term[2], word_age[2], word_grant_term[2], word_grant_age[2];
bool word_grants[2], word_grant_process[2], word_process[2];
bool word_role_known[2], word_pause_known[2];	/* it has taken in the hearer's present ones */
bool word_role_fresh[2], word_pause_fresh[2];	/* it tells the sayer's present ones */

byte crashes, pauses;
bool calm;
byte calm_ticks;

#define OLD (LONG + 1)
#define runs(n) (life[n] == RUNS)
#define lease(n) (granted[n] > 0)
#define alone() assert(!(lease(0) && lease(1)))
#define suspicious(n) (heard[n] <= LG - SUSPECT)
#define less(v) if :: v > 0 -> v-- :: else fi
#define more(v) if :: v < OLD -> v++ :: else fi

inline news(n)
{
	knows_role[1 - n] = 0;
	said_role_known[n] = 0;
	word_role_fresh[n] = 0;
	word_role_known[1 - n] = 0
}

inline become(n, r)
{
	role[n] = r;
	news(n)
}

inline let_go(n)
{
	granted[n] = 0;
	hold[n] = LG
}

inline claim(n)
{
	become(n, OWNER);
	granted[n] = LH;
	own_term[n] = LH;
	own_age[n] = 0;
	run_age[n] = 0;
	promised[n] = 0;
	hold[n] = 0;
	peer_owned[n] = 0;
	alone()
}

inline lose(n)
{
	word[n] = 0;
	word_role[n] = NONE;
	word_term[n] = 0;
	word_age[n] = 0;
	word_grant_term[n] = 0;
	word_grant_age[n] = 0;
	word_grants[n] = 0;
	word_process[n] = 0;
	word_grant_process[n] = 0;
	word_role_known[n] = 0;
	word_pause_known[n] = 0;
	word_role_fresh[n] = 0;
	word_pause_fresh[n] = 0
}

/* ---- words --------------------------------------------------------------------------------------- */

#ifdef BUG_SELF_COVER
#define limit(n, term) (term)
#else
#define limit(n, term) (holds[n] && told[n] && heard[n] > 0 -> (LP > told_age[n] -> LP - told_age[n] : 0) : (term))
#endif

/*
 * A shorter lease, once told, binds; whose peer cannot claim extends it by itself. But for a pause no further than
 * from when it told of it first: of what it said since the peer may have heard nothing.
 */
inline ask_for(n, term)
{
	if :: own_term[n] != term -> run_age[n] = 0 :: else fi;
	own_term[n] = term;
	own_age[n] = 0;
	if
	:: role[n] == OWNER && (suspicious(n) || said_role[n] == QUIET || said_role[n] == GONE) ->
		granted[n] = limit(n, term)
	:: role[n] == OWNER && !suspicious(n) && granted[n] > term -> granted[n] = term
	:: else
	fi
}

inline say(n)
{
	if
	:: holds[n] && !told[n] ->
		told[n] = 1;
		told_age[n] = 0;
		knows_pause[1 - n] = 0;
		said_pause_known[n] = 0;
		word_pause_known[1 - n] = 0
	:: else
	fi;
	if
	:: holds[n] -> ask_for(n, LP)
	:: !holds[n] && heard[n] == 0 -> ask_for(n, LONG)
	:: else -> ask_for(n, LH)
	fi;
	word[n] = 1;
	word_role[n] = role[n];
	word_term[n] = own_term[n];
	word_age[n] = 0;
	word_grants[n] = promised[n] > 0 && role[n] == SECONDARY && said_role[n] == OWNER;
	word_grant_term[n] = said_term[n];
	word_grant_age[n] = said_age[n];
	word_grant_process[n] = said_process[n];
	word_process[n] = process[n];
	word_role_known[n] = knows_role[n];
	word_pause_known[n] = knows_pause[n];
	word_role_fresh[n] = 1;
	word_pause_fresh[n] = told[n]
}

/*
 * It asked for a lease so long ago: what is left of that, but not more than what a shorter one leaves that it
 * has asked for since, first or last: which of them the peer has taken in is not known.
 */
#ifdef BUG_NEWEST
#define since(n) own_age[n]
#else
#define since(n) run_age[n]
#endif
inline take_grant(n, from)
{
	if
#ifdef BUG_OLD_GRANTS
	:: lease(n) && word_grants[from] && word_grant_term[from] > word_grant_age[from] + granted[n] ->
		granted[n] = word_grant_term[from] - word_grant_age[from]
#else
	:: lease(n) && word_grants[from] && word_grant_process[from] == process[n] &&
	   word_grant_term[from] > word_grant_age[from] + granted[n] &&
	   (word_grant_term[from] == own_term[n] || own_term[n] > since(n) + granted[n]) ->
		if
		:: word_grant_term[from] == own_term[n] ||
		   word_grant_term[from] - word_grant_age[from] < own_term[n] - since(n) ->
			granted[n] = word_grant_term[from] - word_grant_age[from]
		:: else -> granted[n] = own_term[n] - since(n)
		fi
#endif
	:: else
	fi;
	alone()
}

inline hear(n, from)
{
	heard[n] = (word_role[from] == GONE -> 0 : LG);
	hold[n] = 0;
	woken[n] = 0;
	said_role[n] = word_role[from];
	said_term[n] = word_term[from];
	said_age[n] = word_age[from];
	said_process[n] = word_process[from];
	said_role_known[n] = word_role_known[from];
	said_pause_known[n] = word_pause_known[from];
	if :: word_role_fresh[from] -> knows_role[n] = 1 :: else fi;
	if :: word_pause_fresh[from] -> knows_pause[n] = 1 :: else fi;
	if
	:: word_role[from] == OWNER ->
#ifdef BUG_PROMISE
		promised[n] = LG;
#else
		promised[n] = (word_term[from] > LG -> word_term[from] : LG);
#endif
		peer_owned[n] = 1
	:: else -> promised[n] = 0
	fi;
	take_grant(n, from);
	/* of two owners the second node yields */
	if
	:: n == 1 && role[n] == OWNER && word_role[from] == OWNER -> become(n, SECONDARY); let_go(n)
	:: else
	fi;
	lose(from)
}

/* ---- decisions ----------------------------------------------------------------------------------- */

inline judge_claim(n)
{
	if
	:: role[n] != SECONDARY || holds[n]
	:: role[n] == SECONDARY && !holds[n] && heard[n] > 0 && said_role_known[n] && !woken[n] ->
		if
		:: said_role[n] == QUIET && peer_owned[n] -> claim(n)
		:: said_role[n] == SECONDARY && n == 0 -> claim(n)	/* elected */
		:: else
		fi
	:: role[n] == SECONDARY && !holds[n] && heard[n] == 0 && promised[n] == 0 && hold[n] == 0 &&
	   (said_role[n] == GONE || life[1 - n] == PAUSED || (life[1 - n] == DOWN && !lease(1 - n))) ->
#ifdef NEVER_TAKEN
		assert(life[1 - n] != PAUSED);
#endif
		claim(n)
	:: else
	fi
}

/* A lease that is to last for the whole pause; who is not heard grants nothing, and half of it has to do. */
#define covered(n) (role[n] != OWNER || \
		    (heard[n] > 0 && granted[n] + told_age[n] >= LP) || \
		    (heard[n] == 0 && granted[n] >= LP / 2))

inline pause(n)
{
#ifdef NEVER_PAUSED
	assert(false);
#endif
	life[n] = PAUSED;
	paused[n] = 0;
	holds[n] = 0;
	told[n] = 0;
	wait[n] = 0
}

inline judge_pause(n)
{
	if
	:: holds[n] && told[n] && (said_pause_known[n] || heard[n] == 0) && covered(n) -> pause(n)
	:: holds[n] && wait[n] == 0 ->
		holds[n] = 0;
		told[n] = 0
	:: else
	fi
}

inline judge(n)
{
	if
	:: runs(n) -> judge_claim(n); judge_pause(n)
	:: else
	fi
}

/* ---- processes ----------------------------------------------------------------------------------- */

inline forget(n)
{
	life[n] = DOWN;
	become(n, NONE);
	promised[n] = 0;
	quiet[n] = 0;
	heard[n] = 0;
	hold[n] = 0;
	holds[n] = 0;
	told[n] = 0;
	wait[n] = 0;
	paused[n] = 0;
	woken[n] = 0;
	told_age[n] = 0;
	own_term[n] = 0;
	own_age[n] = OLD;
	run_age[n] = OLD;
	knows_role[n] = 0;
	knows_pause[n] = 0;
	said_role[n] = NONE;
	said_term[n] = 0;
	said_age[n] = OLD;
	said_pause_known[n] = 0;
	said_process[n] = 0;
	peer_owned[n] = 0;
	lose(1 - n)			/* of a session that nobody knows any more */
}

/* Whatever addresses are left from before are removed first. */
inline start(n)
{
	life[n] = RUNS;
	granted[n] = 0;
	process[n] = 0;
	become(n, QUIET);
	quiet[n] = LG
}

/* The addresses have gone before. */
inline say_gone(n)
{
	lose(n);
	word[n] = 1;
	word_role[n] = GONE
}

inline die(n, guardian_lives)
{
	if
	:: guardian_lives ->
#ifdef BUG_WILL_FIRST
		say_gone(n)
#else
		granted[n] = 0;
		say_gone(n)
#endif
	:: else
	fi;
	forget(n)
}

/* The next process. A pause is no evidence of anything. */
inline resume(n)
{
	life[n] = RUNS;
	process[n] = !process[n];
	woken[n] = paused[n] >= SUSPECT;
#ifndef BUG_OLD_ROLE
	news(n);	/* the peer may know the role by what the former process said, and have claimed since */
#endif
	own_term[n] = 0;
	own_age[n] = OLD;
	run_age[n] = OLD;
	if
#ifdef BUG_RESUME_OVER
	:: role[n] == OWNER && !lease(n) -> granted[n] = LH; alone()
#else
	:: role[n] == OWNER && !lease(n) -> forget(n); start(n)
#endif
	:: !(role[n] == OWNER && !lease(n)) && hold[n] < ALONE -> hold[n] = ALONE
	:: else
	fi;
	paused[n] = 0
}

/* ---- time ---------------------------------------------------------------------------------------- */

inline pass(n)
{
	if
	:: word[n] && word_age[n] == 0 -> word_age[n] = 1; more(word_grant_age[n])
	:: word[n] && word_age[n] > 0 -> lose(n)
	:: else
	fi
}

inline age(n)
{
	less(granted[n]);
	less(promised[n]);
	less(hold[n]);
	less(wait[n]);
	more(said_age[n]);
	more(own_age[n]);
	more(run_age[n]);
	pass(n);
	if
	:: holds[n] || life[n] == PAUSED -> more(told_age[n])
	:: else
	fi;
	if
	:: life[n] == PAUSED -> more(paused[n])	/* and silence is not counted */
	:: else -> less(heard[n])
	fi;
	if
	:: quiet[n] == 1 && runs(n) ->
		quiet[n] = 0;
		become(n, SECONDARY);
		hold[n] = (heard[n] > 0 -> LG : ALONE)
	:: quiet[n] > 1 -> quiet[n]--
	:: else
	fi;
	if
	:: runs(n) && role[n] == OWNER && !lease(n) -> become(n, SECONDARY); let_go(n)
	:: else
	fi
}

/* What may not be waited for any longer. */
#define timely (!(runs(0) && runs(1)) || (heard[0] > 1 && heard[1] > 1))

inline exchange()
{
	if :: runs(0) -> say(0) :: else fi;
	if :: runs(1) && word[0] -> hear(1, 0) :: else fi;
	judge(1);
	if :: runs(1) -> say(1) :: else fi;
	if :: runs(0) && word[1] -> hear(0, 1) :: else fi;
	judge(0);
	judge(1);
	age(0);
	age(1)
}

#define can_hold(n) (!calm && pauses < PAUSES && runs(n) && !holds[n] && \
		     (role[n] == SECONDARY || role[n] == OWNER))
#define PAUSE(n) \
	:: atomic { can_hold(n) -> pauses++; holds[n] = 1; told[n] = 0; wait[n] = PATIENCE } \
	:: atomic { !calm && life[n] == PAUSED -> resume(n); judge(n) }
#define TROUBLE(n, peer) \
	:: atomic { !calm && runs(n) -> say(n); judge(n) } \
	:: atomic { !calm && word[peer] && runs(n) -> hear(n, peer); judge(n) } \
	:: atomic { !calm && runs(n) -> judge(n) } \
	:: atomic { !calm && life[n] != DOWN && crashes < CRASHES -> crashes++; die(n, true) } \
	:: atomic { !calm && life[n] != DOWN && crashes < CRASHES -> crashes++; die(n, false) } \
	:: atomic { !calm && life[n] == DOWN -> start(n) }

/* Who was paused comes back no more, and nobody begins a pause. */
inline settle(n)
{
	holds[n] = 0;
	told[n] = 0;
	if
	:: life[n] == PAUSED -> die(n, false)
	:: else
	fi
}

init {
	d_step {
		forget(0);
		forget(1);
		start(0);
		start(1)
	}
	atomic {
		exchange();
		exchange();
		exchange();
		exchange();
		exchange();
		exchange();
		assert(role[0] == OWNER && lease(0) && role[1] == SECONDARY)
	}
	do
	PAUSE(0)
	PAUSE(1)
#ifdef QUIET_LAN
	/* the next process comes before the pause is over */
	:: atomic { !(life[0] == PAUSED && told_age[0] >= LP - 2) && !(life[1] == PAUSED && told_age[1] >= LP - 2) ->
		exchange();
		assert(lease(0) && role[0] == OWNER) }
#else
	:: atomic { !calm && timely -> age(0); age(1) }
	TROUBLE(0, 1)
	TROUBLE(1, 0)
#ifdef ENDS
	:: atomic { !calm ->
		calm = 1;
		settle(0);
		settle(1);
		if
		:: !runs(0) && !runs(1) -> start(0)
		:: else
		fi;
		crashes = CRASHES;
		pauses = PAUSES }
	:: atomic { calm && calm_ticks < CALM -> exchange(); calm_ticks++;
		assert(calm_ticks < CALM || (lease(0) != lease(1) && role[lease(1)] == OWNER)) }
#endif
#endif
	od
}
