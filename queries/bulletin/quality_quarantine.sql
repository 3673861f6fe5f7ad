-- grain: one row per source, column and reason
-- rule: rows of these deliveries that could not be taken in and still wait
-- build: month
select
    $month as month,
    row_number() over (
        order by quarantine.source, quarantine.reason, coalesce(quarantine.column_name, '')
    ) as position,
    quarantine.source as name,
    coalesce(quarantine.column_name, '') as column_name,
    quarantine.reason,
    count(*) as cases,
    min(quarantine.file) as example_file,
    arg_min(quarantine.row_no, (quarantine.file, quarantine.row_no)) as example_row
from core.quarantine as quarantine
inner join core.load as load
    on quarantine.load_id = load.load_id
where quarantine.state = 'open'
    and load.delivered_at >= $month
    and load.delivered_at < $month + interval 2 month
group by
    quarantine.source, quarantine.reason, coalesce(quarantine.column_name, '')
order by position
