package main

// retired holds the words that docs/glossary.md has replaced, and what to say instead.
//
// Only words that have no other use in plain technical English belong here, because no line can be exempt. Words such as
// turn, room, line, place or predict are left to the reader's judgement.
//
// A phrase is in lower case. A space in it matches white space (a line break within a comment too), a hyphen, an
// underscore and a change of case: "may land" matches "may land", "may-land", may_land and mayLand. A hyphen in it matches
// a join within one name only: "stand-in" matches stand-in, stand_in and standIn, and not "they stand in a file".
var retired = []struct {
	phrases []string
	say     string
}{
	{[]string{"door", "doors"}, "transport: the gRPC server or the HTTP/JSON gateway"},
	{[]string{"stand-in", "stand-ins"}, "sandbox store"},
	{[]string{"stranger", "strangers"}, "unverified store account, or unauthenticated caller"},
	{[]string{"he", "him", "his", "himself"}, "the actor's name: the caller, the operator, the store"},
	{[]string{"whoever", "somebody", "nobody else"}, "the actor's name: the caller, the holder, the operator"},
	{[]string{"anew"}, "again, or restarted"},
	{[]string{"of late"}, "recently, or recent"},
	{[]string{"as a rule"}, "usually"},
	{[]string{"takes for"}, "takes, or the latency of"},
	{[]string{"is of use", "of no use", "of no more use", "of any use"}, "is useful, is not needed any more"},
	{[]string{"told"}, "reported, answered, logged, received"},
	{[]string{"landed", "lands"}, "applied, is applied"},
	{[]string{"landing", "landings"}, "settle time, or applying"},
	{[]string{"may land", "might land", "can land", "could land", "still land"}, "is in doubt, or may still be applied"},
	{[]string{"find out", "finds out", "found out", "finding out"}, "verify (a write), learn, determine"},
	{[]string{"unfinished"}, "in-flight write, or partially received request"},
	{[]string{"underway", "under way"}, "in flight, or in progress"},
	{[]string{"doubtful"}, "ambiguous response, or in-doubt write"},
	{[]string{"believable"}, "definitive response"},
	{[]string{"departure", "departures"}, "send gate"},
	{[]string{"trial", "trials", "triald", "trial"}, "dry run"},
	{[]string{"unproven", "proven", "proving"}, "unauthenticated, authenticated connection"},
	{[]string{"crowd out", "crowds out", "crowded out", "crowding out"}, "evict"},
	{[]string{"chatter"}, "control frames"},
	{[]string{"discreet", "discretion"}, "redact"},
	{[]string{"livefile"}, "filereload"},
	{[]string{"sabotage", "sabotaged", "sabotages"}, "fault injection"},
	{[]string{"pace", "paces"}, "latency estimate"},
}

// names are the retired words that short names and encoded text contain by chance. They are looked for as whole words
// only, not as the parts of a name.
var names = map[string]bool{"he": true, "him": true, "his": true, "pace": true}
