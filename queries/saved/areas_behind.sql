-- title: 得分低于本社区片区平均的片区
-- title-hant: 得分低於本社區片區平均的片區
-- title-en: Areas below the mean of their community's areas
with compared as (
    select
        area.community,
        area.name,
        area.total,
        area.place,
        avg(area.total) over (partition by area.community) as mean_total
    from bulletin.area as area
    where area.month = $month
        and area.total is not null
)

select
    community, name, total, place,
    round(mean_total, 2)::decimal(7, 2) as mean_total,
    round(total - mean_total, 2)::decimal(7, 2) as difference
from compared
where total < mean_total
order by difference, name
