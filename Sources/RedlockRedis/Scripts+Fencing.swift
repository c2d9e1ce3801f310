internal import RedlockCore

// What runs inside the nodes for locks with a fencing token. KEYS: the lock's key, the number's key.
//
// The number's key is read before anything is set. If it holds no number that can be right, the vote fails and nothing
// has changed. A number has no expiry: it must not depend on the node's clock. If it is missing, the node's floor takes
// its place. The floor is named in the script and is not in KEYS, so that a user needs no more than the right to read
// it. Accepted numbers are stored in the client's own words: Lua would round them.
extension Script {
    /// Sets the lock, publishes for how many milliseconds on its channel, and accepts the number if it is higher than
    /// the node's. ARGV: the token, the ttl, the number; and anything, to publish nothing.
    ///
    /// `{0, pttl}`: held by another; `{1, number}`: set and accepted; `{2, highest}`: set, but too low.
    package static let acquireFenced = """
        local ttl=redis.call('pttl',KEYS[1]) \
        if ttl~=-2 then return {0,ttl} end \
        local offer=tonumber(ARGV[3]) \
        \(number) \
        redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) \
        if not ARGV[4] then redis.pcall('publish','redlock:'..KEYS[1],ARGV[2]) end \
        if offer<=highest then return {2,highest} end \
        redis.call('set',KEYS[2],ARGV[3]) \
        return {1,offer}
        """
    package static let acquireFencedDigest = "011e822397e3915e26d219f7b2c9a7f4566e9438"

    /// Accepts the number if the lock is ours and the number higher than the node's. ARGV: the token, the number.
    /// Answers as the other does; `{0, -2}` when the lock is nobody's.
    package static let raise = """
        if redis.call('get',KEYS[1])~=ARGV[1] then return {0,redis.call('pttl',KEYS[1])} end \
        local offer=tonumber(ARGV[2]) \
        \(number) \
        if offer<=highest then return {2,highest} end \
        redis.call('set',KEYS[2],ARGV[2]) \
        return {1,offer}
        """
    package static let raiseDigest = "c0ca535f733155f893621897f394d736a5dbc4e8"

    /// Reads the node's number, or its floor if it has none, into `highest`. Returns an error that says what is wrong
    /// if neither can be right, or if what is offered must not be stored.
    private static let number = """
        local place='the number' \
        local held=redis.pcall('get',KEYS[2]) \
        if not held then place='the floor (\(Command.floorKey))' held=redis.pcall('get','\(Command.floorKey)') end \
        if type(held)=='table' then return {err='FENCING the key of '..place..': '..held.err} end \
        local highest=0 \
        if held then highest=string.match(held,'^%d+$') and tonumber(held) end \
        if not highest or highest>=\(Limits.fencingNumber) then return {err='FENCING the key of '..place..\
        ' holds no whole number below \(Limits.fencingNumber). Mend it: redlock doctor --resource'} end \
        if offer>\(Limits.fencingNumber) then return {err='FENCING the number offered is too high'} end
        """

    /// One step of forgetting old numbers: raises the floor, scans part of the keys, and deletes the numbers that are
    /// at or below the floor. A step is atomic, so a number is deleted only when the floor is in its place already.
    /// Numbers that stay lose the expiry that older versions gave them.
    ///
    /// KEYS: the floor's key. ARGV: the cutoff in µs since 1970, its age in µs, the cursor of SCAN, its COUNT, the
    /// beginning of the keys, `1` to change nothing. The cutoff is not believed beyond the node's own clock less the
    /// age. Returns the cursor, the floor, and how many numbers there were, were deleted, lost an expiry, are beyond
    /// what can be right, and could not be read.
    package static let forgetNumbers = """
        local time=redis.call('time') \
        local cutoff=math.min(tonumber(ARGV[1]),time[1]*1000000+time[2]-tonumber(ARGV[2])) \
        local held=redis.call('get',KEYS[1]) \
        local floor=0 \
        if held then floor=string.match(held,'^%d+$') and tonumber(held) end \
        if not floor or floor>=\(Limits.fencingNumber) then return {err='FENCING the key of the floor, '..KEYS[1]..\
        ', holds no whole number below \(Limits.fencingNumber)'} end \
        local dry=ARGV[6]=='1' \
        if cutoff>floor then floor=cutoff \
        if not dry then redis.call('set',KEYS[1],string.format('%.0f',floor)) end end \
        local page=redis.call('scan',ARGV[3],'MATCH','*\(Command.numberSuffix)','COUNT',ARGV[4]) \
        local seen,gone,kept,bad,closed=0,0,0,0,0 \
        for _,key in ipairs(page[2]) do if string.sub(key,1,#ARGV[5])==ARGV[5] then \
        local text=redis.pcall('get',key) \
        if type(text)=='table' then closed=closed+1 elseif text then \
        local number=string.match(text,'^%d+$') and tonumber(text) \
        if not number then closed=closed+1 else \
        seen=seen+1 \
        if number>=\(Limits.fencingNumber) then bad=bad+1 \
        elseif number<=floor then gone=gone+1 if not dry then redis.call('del',key) end \
        elseif redis.call('pttl',key)~=-1 then kept=kept+1 if not dry then redis.call('set',key,text) end end \
        end end end end \
        return {page[1],string.format('%.0f',floor),seen,gone,kept,bad,closed}
        """
}
