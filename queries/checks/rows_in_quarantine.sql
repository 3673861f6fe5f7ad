-- title: rows wait in quarantine
-- severity: warn
-- rule: nothing is lost: what cannot be taken is listed until an act closes it
select
    quarantine.source,
    quarantine.reason,
    count(*) as rows_waiting
from core.quarantine as quarantine
inner join core.load as load
    on quarantine.load_id = load.load_id
where quarantine.state = 'open'
    and date_trunc('month', load.delivered_at)
        in ($month, $month + interval 1 month)
group by quarantine.source, quarantine.reason
order by quarantine.source, quarantine.reason
