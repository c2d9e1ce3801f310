/// The programs that run inside the nodes.
package enum Script {
    /// Delete the key if it holds our token, as the script of the Redis documentation does ("Distributed locks with
    /// Redis"). The second argument is what to tell those who wait for it, on its channel; `?` to count them instead.
    ///
    /// 0: it does not hold our token. Else deleted: one more than were told or counted, or -1 if the user may not
    /// publish or count.
    package static let release = """
        if redis.call('get',KEYS[1])~=ARGV[1] then return 0 end \
        redis.call('del',KEYS[1]) \
        if not ARGV[2] then return 1 end \
        local channel='redlock:'..KEYS[1] \
        if ARGV[2]=='?' then \
        local count=redis.pcall('pubsub','numsub',channel)[2] \
        return count and 1+count or -1 end \
        local count=redis.pcall('publish',channel,ARGV[2]) \
        if type(count)=='number' then return 1+count end \
        return -1
        """
    package static let releaseDigest = "3387f1c233e4b3ac1652128dbb20017531d8609a"

    /// Set the key if it is not there, and tell its channel for how many milliseconds, unless there is a third
    /// argument; else say how many the key of another still lives: -1 if it has no expiry.
    package static let contend = """
        local done=redis.call('set',KEYS[1],ARGV[1],'NX','PX',ARGV[2]) \
        if not done then return redis.call('pttl',KEYS[1]) end \
        if not ARGV[3] then redis.pcall('publish','redlock:'..KEYS[1],ARGV[2]) end \
        return done
        """
    package static let contendDigest = "2bf100250694ffedceb85a116e3bf5a0210ff169"

    /// Raise the expiry if the key holds our token. 1: done, or it was that long already; 0: no key; -1: another's.
    package static let extend = """
        local owner=redis.call('get',KEYS[1]) \
        if owner==ARGV[1] then \
        if redis.call('pttl',KEYS[1])<tonumber(ARGV[2]) then redis.call('pexpire',KEYS[1],ARGV[2]) end \
        return 1 end \
        if owner then return -1 else return 0 end
        """
    package static let extendDigest = "c20e658d093f8470757cc9b720b67e3d78689222"

    /// Set the key if there is none; raise the expiry if it holds our token. 1: it is ours, for that long at least;
    /// -1: another's. A SET NX would not tell whose a key is that a node got from a SET whose answer was lost.
    package static let repair = """
        local owner=redis.call('get',KEYS[1]) \
        if not owner then redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) return 1 end \
        if owner~=ARGV[1] then return -1 end \
        if redis.call('pttl',KEYS[1])<tonumber(ARGV[2]) then redis.call('pexpire',KEYS[1],ARGV[2]) end \
        return 1
        """
}
