/* hbd ownership lease: 2 nodes (0,1) + witness (2); owner = unexpired grants from a majority of {self,peer,witness}.
   Diskless (promises are volatile), no clock sync, bounded drift. After PaxosLease (arXiv 1209.4187) + Gray/Cheriton rule:
   the HOLDER counts from the SEND of its request, the GRANTOR counts from the GRANT. */
#ifndef LH
#define LH 3      /* holder lease term, local ticks (already includes step-down budget D) */
#endif
#ifndef LG
#define LG 3      /* grantor promise term, local ticks */
#endif
#ifndef Q
#define Q LG      /* silence after (re)start: grant nothing, not even to self */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RELEASES
#define RELEASES 0
#endif
#define NONE 2
byte prom[3], pt[3], pb[3], qt[3];
byte g[6], st[6], age[6];      /* index X*3+Y ; st 0 idle 1 request in flight 2 grant in flight */
byte bal[2]; byte rel[6], relb[6];
byte ph, crashes, releases;
#define I(X,Y) ((X)*3+(Y))
#define CNT(X) ((g[I(X,0)]>0)+(g[I(X,1)]>0)+(g[I(X,2)]>0))
#define OWNER(X) (CNT(X)>=2)
byte adv[3];
inline dec(v,n){ if :: v>n -> v=v-n :: else -> v=0 fi }
inline pick(n){
#ifdef DRIFT
  if :: ph==0 -> if :: adv[n]=0 :: adv[n]=1 :: adv[n]=2 fi :: else -> adv[n]=1 fi
#else
  adv[n]=1
#endif
}
inline tickacc(y){ dec(pt[y],adv[y]); if :: pt[y]==0 -> prom[y]=NONE; pb[y]=0 :: else fi; dec(qt[y],adv[y]) }
inline tickpair(x,y){ dec(g[I(x,y)],adv[x]);
  if :: st[I(x,y)]!=0 -> age[I(x,y)]=age[I(x,y)]+adv[x]; if :: age[I(x,y)]>=LH -> st[I(x,y)]=0; age[I(x,y)]=0 :: else fi :: else fi }
byte x,y;
init {
  d_step { prom[0]=NONE;prom[1]=NONE;prom[2]=NONE; bal[0]=1;bal[1]=1; qt[0]=0; }
  do
  :: atomic { /* time passes */ pick(0);pick(1);pick(2);
       tickacc(0);tickacc(1);tickacc(2);
       tickpair(0,0);tickpair(0,1);tickpair(0,2);tickpair(1,0);tickpair(1,1);tickpair(1,2);
       adv[0]=0;adv[1]=0;adv[2]=0;
#ifdef DRIFT
       ph=(ph+1)%4;
#endif
     }
  :: atomic { if :: x=0 :: x=1 fi; if :: y=0 :: y=1 :: y=2 fi;
      if
      :: x==y -> /* self promise */
         if :: qt[x]==0 && (prom[x]==NONE||prom[x]==x) -> prom[x]=x;pt[x]=LG;pb[x]=bal[x];g[I(x,x)]=LH :: else fi
      :: x!=y && st[I(x,y)]==0 && qt[x]==0 -> st[I(x,y)]=1;age[I(x,y)]=0                 /* send request */
      :: x!=y && st[I(x,y)]==1 -> if                                                    /* deliver or lose request */
           :: qt[y]==0 && (prom[y]==NONE||prom[y]==x) -> prom[y]=x;pt[y]=LG;pb[y]=bal[x];st[I(x,y)]=2
           :: st[I(x,y)]=0; age[I(x,y)]=0 fi
      :: x!=y && st[I(x,y)]==2 -> if                                                    /* deliver or lose grant */
#ifdef BUGRECEIPT
           :: g[I(x,y)]=LH
#else
           :: if :: LH-age[I(x,y)]>g[I(x,y)] -> g[I(x,y)]=LH-age[I(x,y)] :: else fi
#endif
           :: skip fi; st[I(x,y)]=0; age[I(x,y)]=0
      fi; x=0;y=0 }
  :: atomic { crashes<CRASHES -> if :: y=0 :: y=1 :: y=2 fi; crashes++;
      prom[y]=NONE;pt[y]=0;pb[y]=0;qt[y]=Q;
      if :: y<2 -> g[I(y,0)]=0;g[I(y,1)]=0;g[I(y,2)]=0;st[I(y,0)]=0;st[I(y,1)]=0;st[I(y,2)]=0;age[I(y,0)]=0;age[I(y,1)]=0;age[I(y,2)]=0 :: else fi; y=0 }
#if RELEASES>0
  :: atomic { releases<RELEASES -> if :: x=0 :: x=1 fi; OWNER(x) -> releases++;            /* planned resign: stop first, then tell */
      g[I(x,0)]=0;g[I(x,1)]=0;g[I(x,2)]=0;st[I(x,0)]=0;st[I(x,1)]=0;st[I(x,2)]=0;age[I(x,0)]=0;age[I(x,1)]=0;age[I(x,2)]=0;
      if :: prom[x]==x -> prom[x]=NONE;pt[x]=0 :: else fi;
      rel[I(x,1-x)]=1;relb[I(x,1-x)]=bal[x];rel[I(x,2)]=1;relb[I(x,2)]=bal[x]; bal[x]++; x=0 }
  :: atomic { if :: x=0 :: x=1 fi; if :: y=0 :: y=1 :: y=2 fi; rel[I(x,y)]==1 ->
#ifdef BUGREL
      if :: prom[y]==x -> prom[y]=NONE;pt[y]=0 :: else fi;
#else
      if :: prom[y]==x && pb[y]<=relb[I(x,y)] -> prom[y]=NONE;pt[y]=0 :: else fi;
#endif
      if :: rel[I(x,y)]=0;relb[I(x,y)]=0 :: skip fi;  /* may be duplicated/replayed later */
      x=0;y=0 }
#endif
  od }
/* Never two owners. */
active proctype judge() { (OWNER(0) && OWNER(1)) -> assert(false) }
