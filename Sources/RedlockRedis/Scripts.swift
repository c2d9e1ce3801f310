/// The programs that run inside the nodes.
package enum Script {
    /// Delete the key if it holds our token: the script of the Redis documentation ("Distributed locks with Redis").
    package static let release = """
        if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end
        """
    package static let releaseDigest = "b998f9dfb154cdbea8cda65ad5177aadf0e945a2"

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
