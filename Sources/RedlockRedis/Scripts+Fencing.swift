internal import RedlockCore

// What runs inside the nodes for locks with a fencing token. KEYS: the lock's key, the number's key.
//
// The number's key is looked at before anything is set: where it holds no number, the vote fails and nothing has
// changed. The numbers that are accepted are the client's own words; they are never made by Lua, which would round
// them.
extension Script {
    /// Sets the lock, tells its channel for how many milliseconds, and accepts the number if it is higher than the
    /// node's. ARGV: the token, the ttl, the number, how long to keep it; and anything, to tell nobody.
    ///
    /// `{0, pttl}`: held by another; `{1, number}`: set and accepted; `{2, highest}`: set, but too low.
    package static let acquireFenced = """
        local ttl=redis.call('pttl',KEYS[1]) \
        if ttl~=-2 then return {0,ttl} end \
        \(number) \
        redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) \
        if not ARGV[5] then redis.pcall('publish','redlock:'..KEYS[1],ARGV[2]) end \
        if tonumber(ARGV[3])<=highest then return {2,highest} end \
        redis.call('set',KEYS[2],ARGV[3],'PX',ARGV[4]) \
        return {1,tonumber(ARGV[3])}
        """
    package static let acquireFencedDigest = "9e0604943e08b7c66ccc023b9ec0283a9563faf1"

    /// Accepts the number if the lock is ours and the number higher than the node's. ARGV: the token, the number, how
    /// long to keep it. Answers as the other does; `{0, -2}` when the lock is nobody's.
    package static let raise = """
        if redis.call('get',KEYS[1])~=ARGV[1] then return {0,redis.call('pttl',KEYS[1])} end \
        \(number) \
        if tonumber(ARGV[2])<=highest then return {2,highest} end \
        redis.call('set',KEYS[2],ARGV[2],'PX',ARGV[3]) \
        return {1,tonumber(ARGV[2])}
        """
    package static let raiseDigest = "32538a3c7e4c042d1807b2c6d7a95f909426a2de"

    /// Reads the node's number into `highest`; an error that says what is wrong where there is none to read.
    private static let number = """
        local number=redis.pcall('get',KEYS[2]) \
        if type(number)=='table' then return {err='FENCING the key of the number: '..number.err} end \
        local highest=0 \
        if number then highest=string.match(number,'^%d+$') and tonumber(number) end \
        if not highest or highest>=\(Limits.fencingNumber) then \
        return {err='FENCING the key of the number holds no whole number below \(Limits.fencingNumber)'} end
        """
}
