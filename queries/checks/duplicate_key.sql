-- title: a case counts twice
-- severity: error
-- rule: the key of a fact is (source, the source's id)
with fact as (
    select
        'ticket' as fact,
        ticket.source,
        ticket.source_key
    from core.ticket as ticket
    where ticket.reported_at >= $month - interval 1 year
    union all
    select
        'repair' as fact,
        repair.source,
        repair.source_key
    from core.repair as repair
)

select
    fact.fact,
    fact.source,
    fact.source_key,
    count(*) as copies
from fact
group by fact.fact, fact.source, fact.source_key
having count(*) > 1
order by fact.fact, fact.source, fact.source_key
